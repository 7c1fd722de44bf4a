package main

import (
	"bufio"
	"fmt"
	"net"
	"time"
)

const maxLiners = 1000 // connections at a time

// lines answers every line with the node's name and the line.
func (n *node) lines(lis net.Listener) error {
	free := make(chan struct{}, maxLiners)
	for {
		free <- struct{}{}
		conn, err := lis.Accept()
		if err != nil {
			return err
		}
		go func() {
			defer func() { <-free }()
			n.converse(conn)
		}()
	}
}

func (n *node) converse(conn net.Conn) {
	defer conn.Close() //nolint:errcheck // nobody listens
	said := bufio.NewScanner(conn)
	said.Buffer(nil, maxAsked)
	for {
		_ = conn.SetDeadline(time.Now().Add(maxSlow))
		if !said.Scan() {
			return
		}
		if _, err := fmt.Fprintf(conn, "%s %s\n", n.name, said.Text()); err != nil {
			return
		}
	}
}
