package main

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// socket makes the handshake of RFC 6455, section 1.3, with its sample key.
func socket(t *testing.T, s *httptest.Server) (net.Conn, *bufio.Reader) {
	t.Helper()
	conn, err := net.Dial("tcp", s.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	_ = conn.SetDeadline(time.Now().Add(10 * time.Second))
	_, _ = fmt.Fprint(conn, "GET /ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n")
	from := bufio.NewReader(conn)
	resp, err := http.ReadResponse(from, nil)
	if err != nil {
		t.Fatal(err)
	}
	if resp.StatusCode != 101 || resp.Header.Get("Sec-WebSocket-Accept") != "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=" || resp.Header.Get("X-Node") != "isNode1" || len(resp.Cookies()) != 1 {
		t.Fatalf("%s, %v", resp.Status, resp.Header)
	}
	return conn, from
}

// masked is a frame as a client sends it, shorter than 126 bytes or longer.
func masked(first byte, payload string) []byte {
	b := []byte{first, 0x80 | byte(len(payload)&0x7f)}
	if len(payload) > 125 {
		b = binary.BigEndian.AppendUint16([]byte{first, 0x80 | 126}, uint16(len(payload))) //nolint:gosec // the tests' are short
	}
	b = append(b, 1, 2, 3, 4)
	for i := range len(payload) {
		b = append(b, payload[i]^byte(i%4+1))
	}
	return b
}

// frame reads one as a server sends it.
func frame(t *testing.T, from io.Reader) (first byte, payload string) {
	t.Helper()
	head := make([]byte, 2)
	if _, err := io.ReadFull(from, head); err != nil {
		t.Fatal(err)
	}
	size := int(head[1])
	if size == 126 {
		long := make([]byte, 2)
		_, _ = io.ReadFull(from, long)
		size = int(binary.BigEndian.Uint16(long))
	}
	b := make([]byte, size)
	_, _ = io.ReadFull(from, b)
	return head[0], string(b)
}

func TestAWebSocketEchoesWithTheNodesName(t *testing.T) {
	s := httptest.NewServer(newNode("isNode1"))
	defer s.Close()
	conn, from := socket(t, s)
	for _, text := range []string{"hello", "", strings.Repeat("ä", 500)} {
		_, _ = conn.Write(masked(0x81, text))
		if first, got := frame(t, from); first != 0x81 || got != "isNode1 "+text {
			t.Errorf("%x %q", first, got)
		}
	}
	_, _ = conn.Write(masked(0x89, "ping"))
	if first, got := frame(t, from); first != 0x8a || got != "ping" {
		t.Errorf("%x %q", first, got)
	}
	_, _ = conn.Write(masked(0x88, "\x03\xe8"))
	if first, got := frame(t, from); first != 0x88 || got != "\x03\xe8" {
		t.Errorf("%x %q", first, got)
	}
	if rest, err := io.ReadAll(from); len(rest) > 0 || err != nil {
		t.Errorf("%q, %v", rest, err)
	}
}

func TestAWebSocketClosesOnWhatItDoesNotTake(t *testing.T) {
	s := httptest.NewServer(newNode("isNode1"))
	defer s.Close()
	for name, sent := range map[string][]byte{"binary": masked(0x82, "x"), "a fragment": masked(0x01, "x")} {
		conn, from := socket(t, s)
		_, _ = conn.Write(sent)
		if first, got := frame(t, from); first != 0x88 || got != "\x03\xeb" {
			t.Errorf("%s: %x %q", name, first, got)
		}
	}
	for name, sent := range map[string][]byte{"no mask": {0x81, 1, 'x'}, "too long": {0x81, 0xff}} {
		conn, from := socket(t, s)
		_, _ = conn.Write(sent)
		if rest, _ := io.ReadAll(from); !bytes.Equal(rest, nil) {
			t.Errorf("%s: %q", name, rest)
		}
	}
	if resp, _ := ask(t, newNode("isNode1"), "/ws"); resp.StatusCode != http.StatusUpgradeRequired {
		t.Errorf("without an upgrade: %d", resp.StatusCode)
	}
}
