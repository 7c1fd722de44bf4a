package main

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"time"

	"usher/model"
)

// answerLimit leaves room for a dead name server or two: resolv.conf gives each
// 5 s before the next is asked.
const answerLimit = 15 * time.Second

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
	return choose(ctx, a.Port, was, choice)
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

// choices are all addresses that names resolve to.
func choices(answers map[model.Address]answer) map[model.Address][]netip.Addr {
	all := map[model.Address][]netip.Addr{}
	for a, found := range answers {
		all[a] = found.choice
		if len(found.choice) == 0 && found.ip.IsValid() {
			all[a] = []netip.Addr{found.ip}
		}
	}
	return all
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
