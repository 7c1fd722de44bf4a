package main

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"fmt"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

const window = 1 << 28 // bytes, of a stream; that of the connection is filled up

// h2 is a client by HTTP/2 on one connection, with several requests on their way.
type h2 struct {
	conn   *tls.Conn
	in     *bufio.Reader
	out    *bufio.Writer
	frames *http2.Framer
	block  bytes.Buffer
	pack   *hpack.Encoder
	path   string
	size   int
	session
	next  uint32
	began map[uint32]time.Time
	got   map[uint32]int // bytes
	taken uint32         // bytes that the server has to be told of
}

func dialH2(port int, path string, size int, s session) (*h2, error) {
	conn, err := dial(port, "h2")
	if err != nil {
		return nil, err
	}
	c := &h2{conn: conn, in: bufio.NewReaderSize(conn, 32<<10), out: bufio.NewWriter(conn), path: path, size: size, session: s,
		next: 1, began: map[uint32]time.Time{}, got: map[uint32]int{}}
	c.pack = hpack.NewEncoder(&c.block)
	c.frames = http2.NewFramer(c.out, c.in)
	c.frames.SetReuseFrames()
	c.frames.ReadMetaHeaders = hpack.NewDecoder(4096, nil)
	_, _ = c.out.WriteString(http2.ClientPreface) // Flush has the error
	_ = c.frames.WriteSettings(http2.Setting{ID: http2.SettingInitialWindowSize, Val: window}, http2.Setting{ID: http2.SettingEnablePush})
	_ = c.frames.WriteWindowUpdate(0, window)
	return c, c.out.Flush()
}

func (c *h2) close() { _ = c.conn.Close() }

// ask begins a request; it is sent at the latest when nothing is left to read.
func (c *h2) ask() error {
	c.block.Reset()
	for _, f := range []hpack.HeaderField{
		{Name: ":method", Value: "GET"}, {Name: ":scheme", Value: "https"}, {Name: ":authority", Value: "localhost"}, {Name: ":path", Value: c.path},
		{Name: "user-agent", Value: "bench/1"}, {Name: "accept", Value: "text/html,*/*;q=0.8"}, {Name: "accept-encoding", Value: "gzip"},
		{Name: "cookie", Value: "JSESSIONID=" + c.id},
	} {
		if err := c.pack.WriteField(f); err != nil {
			return err
		}
	}
	c.began[c.next] = time.Now()
	err := c.frames.WriteHeaders(http2.HeadersFrameParam{StreamID: c.next, BlockFragment: c.block.Bytes(), EndStream: true, EndHeaders: true})
	c.next += 2
	return err
}

// wait reads until an answer is whole, and returns how long it took.
func (c *h2) wait() (time.Duration, error) {
	if err := c.conn.SetDeadline(time.Now().Add(patience)); err != nil {
		return 0, err
	}
	for {
		if c.in.Buffered() == 0 {
			if err := c.out.Flush(); err != nil {
				return 0, err
			}
		}
		f, err := c.frames.ReadFrame()
		if err != nil {
			return 0, err
		}
		ended, err := c.take(f)
		if err != nil {
			return 0, err
		}
		if began, ok := c.began[f.Header().StreamID]; ok && ended {
			return time.Since(began), c.whole(f.Header().StreamID)
		}
	}
}

// take tells whether a frame is the last of an answer.
func (c *h2) take(frame http2.Frame) (bool, error) {
	switch f := frame.(type) {
	case *http2.MetaHeadersFrame:
		return f.StreamEnded(), c.head(f)
	case *http2.DataFrame:
		c.got[f.StreamID] += len(f.Data())
		return f.StreamEnded(), c.fill(f.Length)
	case *http2.SettingsFrame:
		if f.IsAck() {
			return false, nil
		}
		return false, c.frames.WriteSettingsAck()
	case *http2.PingFrame:
		if f.IsAck() {
			return false, nil
		}
		return false, c.frames.WritePing(true, f.Data)
	case *http2.RSTStreamFrame:
		return false, fmt.Errorf("a request was reset: %v", f.ErrCode)
	case *http2.GoAwayFrame:
		return false, fmt.Errorf("the connection was ended: %v", f.ErrCode)
	}
	return false, nil
}

func (c *h2) head(f *http2.MetaHeadersFrame) error {
	if status := f.PseudoValue("status"); status != "200" {
		return fmt.Errorf("the answer is %s", status)
	}
	for _, h := range f.RegularFields() {
		if h.Name == nodeHeader && h.Value == c.node {
			return nil
		}
	}
	return errStray
}

// fill gives the server back what it may send on the connection.
func (c *h2) fill(n uint32) error {
	c.taken += n
	if c.taken < window/2 {
		return nil
	}
	n, c.taken = c.taken, 0
	return c.frames.WriteWindowUpdate(0, n)
}

func (c *h2) whole(stream uint32) error {
	got := c.got[stream]
	delete(c.got, stream)
	delete(c.began, stream)
	if got != c.size {
		return fmt.Errorf("a body of %d bytes, not %d", got, c.size)
	}
	return nil
}
