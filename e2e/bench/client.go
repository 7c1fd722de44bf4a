package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"strconv"
	"time"
)

const (
	nodeHeader = "x-node"
	patience   = 10 * time.Second // for one answer
)

// session is a client's, as a container would have made it.
type session struct{ id, node string }

func sessionOf(i int, nodes []node) session {
	n := nodes[i%len(nodes)]
	return session{fmt.Sprintf("%032X.%s", i+1, n.Name), n.Name}
}

// errStray is an answer by another node than the session's.
var errStray = errors.New("an answer came from another node than the session's")

// dial shakes hands in full: nothing is kept that could be resumed. All balancers
// have to agree on the same curve and cipher, or the figures could not be compared.
func dial(port int, protocol string) (*tls.Conn, error) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	d := tls.Dialer{NetDialer: &net.Dialer{}, Config: &tls.Config{
		InsecureSkipVerify:          true, //nolint:gosec // made for this run alone
		ServerName:                  "localhost",
		MinVersion:                  tls.VersionTLS13,
		CurvePreferences:            []tls.CurveID{tls.X25519},
		NextProtos:                  []string{protocol},
		DynamicRecordSizingDisabled: true,
	}}
	raw, err := d.DialContext(ctx, "tcp", fmt.Sprintf("127.0.0.1:%d", port))
	if err != nil {
		return nil, err
	}
	c := raw.(*tls.Conn)
	s := c.ConnectionState()
	if s.NegotiatedProtocol != protocol || s.CurveID != tls.X25519 || s.CipherSuite != tls.TLS_AES_128_GCM_SHA256 {
		_ = c.Close()
		return nil, fmt.Errorf("%q, %v and %s were agreed on, not %s, %v and %s", s.NegotiatedProtocol, s.CurveID,
			tls.CipherSuiteName(s.CipherSuite), protocol, tls.X25519, tls.CipherSuiteName(tls.TLS_AES_128_GCM_SHA256))
	}
	return c, nil
}

// h1 is a client by HTTP/1.1 on one connection.
type h1 struct {
	conn *tls.Conn
	in   *bufio.Reader
	ask  []byte
	node []byte
	size int // of the body that is asked for
}

func dialH1(port int, path string, size int, s session) (*h1, error) {
	c, err := dial(port, "http/1.1")
	if err != nil {
		return nil, err
	}
	ask := fmt.Appendf(nil, "GET %s HTTP/1.1\r\nHost: localhost\r\nUser-Agent: bench/1\r\nAccept: text/html,*/*;q=0.8\r\n"+
		"Accept-Encoding: gzip\r\nCookie: JSESSIONID=%s\r\n\r\n", path, s.id)
	return &h1{c, bufio.NewReaderSize(c, 32<<10), ask, []byte(s.node), size}, nil
}

func (c *h1) close() { _ = c.conn.Close() }

// get asks once and reads the whole answer.
func (c *h1) get() error {
	if err := c.conn.SetDeadline(time.Now().Add(patience)); err != nil {
		return err
	}
	if _, err := c.conn.Write(c.ask); err != nil {
		return err
	}
	status, err := c.in.ReadSlice('\n')
	if err != nil {
		return err
	}
	if !bytes.HasPrefix(status, []byte("HTTP/1.1 200")) {
		return fmt.Errorf("the answer is %q", bytes.TrimSpace(status))
	}
	return c.rest()
}

func (c *h1) rest() error {
	size, byNode := -1, false
	for {
		line, err := c.in.ReadSlice('\n')
		if err != nil {
			return err
		}
		line = bytes.TrimRight(line, "\r\n")
		if len(line) == 0 {
			break
		}
		name, value, _ := bytes.Cut(line, []byte(":"))
		value = bytes.TrimSpace(value)
		switch {
		case bytes.EqualFold(name, []byte(nodeHeader)):
			byNode = bytes.Equal(value, c.node)
		case bytes.EqualFold(name, []byte("content-length")):
			if size, err = strconv.Atoi(string(value)); err != nil {
				return err
			}
		}
	}
	if !byNode {
		return errStray
	}
	if size != c.size {
		return fmt.Errorf("a body of %d bytes, not %d", size, c.size)
	}
	_, err := c.in.Discard(size)
	return err
}
