package main

import (
	"bufio"
	"crypto/sha1" //nolint:gosec // RFC 6455 asks for it
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"time"
)

// Frames of RFC 6455, section 5.2.
const (
	frameText  = 0x1
	frameClose = 0x8
	framePing  = 0x9
	framePong  = 0xa

	maxFrame = 64<<10 - 1 // bytes, so that a length has 16 bits at most
)

// webSocket echoes texts in single frames, the node's name before each.
func (n *node) webSocket(w http.ResponseWriter, r *http.Request) {
	key := r.Header.Get("Sec-WebSocket-Key")
	if !strings.EqualFold(r.Header.Get("Upgrade"), "websocket") || r.Header.Get("Sec-WebSocket-Version") != "13" || key == "" {
		w.Header().Set("Sec-WebSocket-Version", "13")
		http.Error(w, "this is for WebSockets", http.StatusUpgradeRequired)
		return
	}
	n.session(w, r)
	conn, buffered, err := http.NewResponseController(w).Hijack()
	if err != nil {
		http.Error(w, err.Error(), http.StatusNotImplemented)
		return
	}
	defer conn.Close() //nolint:errcheck // nobody listens
	h := w.Header()
	h.Set("Upgrade", "websocket")
	h.Set("Connection", "Upgrade")
	h.Set("Sec-WebSocket-Accept", accept(key))
	_, _ = io.WriteString(conn, "HTTP/1.1 101 Switching Protocols\r\n")
	_ = h.Write(conn)
	_, _ = io.WriteString(conn, "\r\n")
	for n.echo(conn, buffered.Reader) == nil {
	}
}

func accept(key string) string {
	sum := sha1.Sum([]byte(key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11")) //nolint:gosec // RFC 6455 asks for it
	return base64.StdEncoding.EncodeToString(sum[:])
}

var errClosed = errors.New("closed")

// echo answers one frame.
func (n *node) echo(conn net.Conn, from *bufio.Reader) error {
	_ = conn.SetDeadline(time.Now().Add(maxSlow))
	kind, payload, err := readFrame(from)
	if err != nil {
		return err
	}
	switch kind {
	case frameText:
		return writeFrame(conn, frameText, []byte(n.name+" "+string(payload)))
	case framePing:
		return writeFrame(conn, framePong, payload)
	case framePong:
		return nil
	case frameClose:
		return errors.Join(errClosed, writeFrame(conn, frameClose, payload))
	default:
		return errors.Join(errClosed, writeFrame(conn, frameClose, binary.BigEndian.AppendUint16(nil, 1003))) // unsupported data
	}
}

// readFrame reads one that a client has masked.
func readFrame(from io.Reader) (kind byte, payload []byte, err error) {
	var head [2]byte
	if _, err := io.ReadFull(from, head[:]); err != nil {
		return 0, nil, err
	}
	size := int(head[1] & 0x7f)
	if head[1]&0x80 == 0 || size == 127 {
		return 0, nil, fmt.Errorf("a frame without a mask, or longer than %d bytes", maxFrame)
	}
	if size == 126 {
		var long [2]byte
		if _, err := io.ReadFull(from, long[:]); err != nil {
			return 0, nil, err
		}
		size = int(binary.BigEndian.Uint16(long[:]))
	}
	masked := make([]byte, 4+size)
	if _, err := io.ReadFull(from, masked); err != nil {
		return 0, nil, err
	}
	mask, payload := masked[:4], masked[4:]
	for i := range payload {
		payload[i] ^= mask[i%4]
	}
	if head[0]&0x80 == 0 {
		return 0, nil, nil // a fragment is none of the kinds
	}
	return head[0] & 0xf, payload, nil
}

func writeFrame(to io.Writer, kind byte, payload []byte) error {
	if len(payload) > maxFrame {
		payload = payload[:maxFrame]
	}
	head := []byte{0x80 | kind, byte(len(payload))} //nolint:gosec // it is overwritten where it does not fit
	if len(payload) > 125 {
		head = binary.BigEndian.AppendUint16([]byte{0x80 | kind, 126}, uint16(len(payload))) //nolint:gosec // maxFrame fits
	}
	_, err := to.Write(slices.Concat(head, payload))
	return err
}
