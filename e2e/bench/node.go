package main

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"fmt"
	"net"
)

// node is a server behind the balancers, as cheap as it can be: it knows GET, and
// answers with so many bytes and its name.
type node struct {
	Name string
	Port int
}

const (
	smallPath, largePath = "/small", "/large"
	smallBody, largeBody = 1 << 10, 1 << 20 // bytes
)

// startNode serves until the program ends.
func startNode(name string, cert tls.Certificate) (node, error) {
	lis, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{
		Certificates:                []tls.Certificate{cert},
		MinVersion:                  tls.VersionTLS13,
		CurvePreferences:            []tls.CurveID{tls.X25519},
		DynamicRecordSizingDisabled: true,
	})
	if err != nil {
		return node{}, fmt.Errorf("node %s: %w", name, err)
	}
	small, large := answer(name, smallBody), answer(name, largeBody)
	go func() {
		for {
			c, err := lis.Accept()
			if err != nil {
				return
			}
			go serve(c, small, large)
		}
	}()
	return node{name, lis.Addr().(*net.TCPAddr).Port}, nil
}

func answer(name string, size int) []byte {
	head := fmt.Sprintf("HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: %d\r\n%s: %s\r\n\r\n", size, nodeHeader, name)
	return append([]byte(head), bytes.Repeat([]byte("x"), size)...)
}

// serve answers one request after the other, none of which has a body.
func serve(c net.Conn, small, large []byte) {
	defer c.Close() //nolint:errcheck // whoever asked has gone
	in := bufio.NewReader(c)
	for {
		first, err := in.ReadSlice('\n')
		if err != nil {
			return
		}
		out := small
		if bytes.HasPrefix(first, []byte("GET "+largePath)) {
			out = large
		}
		for len(first) > 2 {
			if first, err = in.ReadSlice('\n'); err != nil {
				return
			}
		}
		if _, err := c.Write(out); err != nil {
			return
		}
	}
}
