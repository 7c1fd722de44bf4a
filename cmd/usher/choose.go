package main

import (
	"context"
	"net"
	"net/netip"
	"slices"
	"time"
)

const (
	// connectLimit leaves room for one lost SYN, which is sent again after 1 s
	// (RFC 6298).
	connectLimit = 2 * time.Second
	// tried bounds the connects at once: a node has few addresses.
	tried = 16
)

// choose takes the address that was served while it accepts connections, else
// the first that does. None does while a node is down: then the one that was
// served stands in, or the first, until one answers.
func choose(ctx context.Context, port uint16, was answer, choice []netip.Addr) answer {
	if len(choice) == 1 {
		return answer{ip: choice[0], choice: choice, alive: true}
	}
	order := served(was.ip, choice)
	if was.alive && order[0] == was.ip && accepts(ctx, order[0], port) {
		return answer{ip: was.ip, choice: choice, alive: true} // the others are left in peace
	}
	ip, alive := first(ctx, port, order[:min(len(order), tried)])
	return answer{ip: ip, choice: choice, alive: alive}
}

// served puts the address that was served before the others, if it is still
// among them.
func served(ip netip.Addr, choice []netip.Addr) []netip.Addr {
	i := slices.Index(choice, ip)
	if i < 0 {
		return choice
	}
	return slices.Concat(choice[i:i+1], choice[:i], choice[i+1:])
}

// first tries all at once, so that one that drops SYNs costs the others
// nothing, and takes the first in order that accepts a connection within its
// own time; without any it is the first of all.
func first(ctx context.Context, port uint16, order []netip.Addr) (ip netip.Addr, alive bool) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel() // of those that are not needed any more
	answers := make([]chan bool, len(order))
	for i, ip := range order {
		answers[i] = make(chan bool, 1)
		go func() { answers[i] <- accepts(ctx, ip, port) }()
	}
	for i, ip := range order {
		if <-answers[i] {
			return ip, true
		}
	}
	return order[0], false
}

// accepts connects, and hangs up.
func accepts(ctx context.Context, ip netip.Addr, port uint16) bool {
	conn, err := (&net.Dialer{Timeout: connectLimit}).DialContext(ctx, "tcp", netip.AddrPortFrom(ip, port).String())
	if err != nil {
		return false
	}
	_ = conn.Close()
	return true
}
