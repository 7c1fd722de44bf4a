package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"time"

	"usher/model"
)

const (
	// answerLimit leaves room for a dead name server or two: resolv.conf gives
	// each 5 s before the next is asked.
	answerLimit  = 15 * time.Second
	connectLimit = time.Second
)

// answer is what a node's address resolved to. On a fault the address that was
// known before stays.
type answer struct {
	ip     netip.Addr
	choice []netip.Addr // all answers, IPv4 first
	alive  bool         // ip accepted a connection, or was the only choice
	fault  error
}

// same tells whether two answers make no difference to what is served and said.
func (a answer) same(b answer) bool {
	return a.ip == b.ip && (a.fault == nil) == (b.fault == nil)
}

// failed is the answer after a look-up that gave none.
func (a answer) failed(err error) answer {
	a.fault = err
	return a
}

// one asks for one name.
func (r *resolver) one(ctx context.Context, a model.Address, was answer) answer {
	choice, err := r.choice(ctx, a.Host)
	if err != nil {
		return was.failed(fmt.Errorf("resolve %s: %w", a.Host, err))
	}
	if was.alive && was.fault == nil && slices.Equal(choice, was.choice) {
		return was
	}
	ctx, cancel := context.WithTimeout(ctx, connectLimit)
	defer cancel()
	return choose(ctx, a, choice)
}

// choice is what a name resolves to, in the order of preference.
func (r *resolver) choice(ctx context.Context, host string) ([]netip.Addr, error) {
	ctx, cancel := context.WithTimeout(ctx, answerLimit)
	defer cancel()
	choice, err := r.lookup(ctx, "ip", host)
	if err != nil {
		return nil, err
	}
	if len(choice) == 0 {
		return nil, errors.New("no address")
	}
	for i := range choice {
		choice[i] = choice[i].Unmap()
	}
	slices.SortFunc(choice, ipv4First)
	return choice, nil
}

func ipv4First(a, b netip.Addr) int {
	if a.Is4() != b.Is4() {
		if a.Is4() {
			return -1
		}
		return 1
	}
	return a.Compare(b)
}

// choose takes the first address that accepts a connection; none does while a
// node is down, and then the first stands in until one answers.
func choose(ctx context.Context, a model.Address, choice []netip.Addr) answer {
	if len(choice) == 1 {
		return answer{ip: choice[0], choice: choice, alive: true}
	}
	for _, ip := range choice {
		conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", netip.AddrPortFrom(ip, a.Port).String())
		if err == nil {
			_ = conn.Close()
			return answer{ip: ip, choice: choice, alive: true}
		}
	}
	return answer{ip: choice[0], choice: choice}
}

// ips are the addresses that are known.
func ips(answers map[model.Address]answer) map[model.Address]netip.Addr {
	known := make(map[model.Address]netip.Addr, len(answers))
	for a, found := range answers {
		if found.ip.IsValid() {
			known[a] = found.ip
		}
	}
	return known
}
