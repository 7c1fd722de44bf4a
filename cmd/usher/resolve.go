package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/netip"
	"slices"
	"sync"
	"time"

	"usher/model"
)

const (
	resolveEvery = 3 * time.Second
	resolveLimit = time.Second // for the answer, and for a connect
)

// answer is what a node's address resolved to. On a fault the address that was
// known before stays.
type answer struct {
	ip     netip.Addr
	choice []netip.Addr // all answers, IPv4 first
	alive  bool         // ip accepted a connection, or was the only choice
	fault  error
}

// resolver keeps the nodes' names resolved. One node is one address, whatever
// its name resolves to: IPv4 first, or the first that accepts a connection.
type resolver struct {
	news   chan map[model.Address]answer // the latest answers, when they changed
	lookup func(ctx context.Context, network, host string) ([]netip.Addr, error)
	every  time.Duration
	// last is where names pointed when that was accepted last, in an earlier run
	// perhaps. It belongs to the caller of resolve.
	last map[model.Address]netip.Addr

	mu      sync.Mutex
	answers map[model.Address]answer
}

func newResolver() *resolver {
	return &resolver{
		news:   make(chan map[model.Address]answer, 1),
		lookup: net.DefaultResolver.LookupNetIP,
		every:  resolveEvery,
	}
}

// resolve says what is known of the names among the addresses, and looks up
// those that are new. What it finds is not watched yet.
func (r *resolver) resolve(ctx context.Context, addresses []model.Address) map[model.Address]answer {
	r.mu.Lock()
	old := r.answers
	r.mu.Unlock()
	ask := map[model.Address]answer{}
	keep := map[model.Address]answer{}
	for _, a := range addresses {
		if known, ok := old[a]; ok {
			keep[a] = known
		} else if !a.IP().IsValid() {
			ask[a] = answer{ip: r.last[a]} // which stays if there is no answer
		}
	}
	maps.Copy(keep, r.all(ctx, ask))
	return keep
}

// watch follows these names from now on, and no others.
func (r *resolver) watch(answers map[model.Address]answer) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.answers = maps.Clone(answers)
}

// run resolves again every few seconds and reports changes until ctx ends.
func (r *resolver) run(ctx context.Context) {
	tick := time.NewTicker(r.every)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			r.again(ctx)
		}
	}
}

func (r *resolver) again(ctx context.Context) {
	r.mu.Lock()
	before := r.answers
	r.mu.Unlock()
	after := r.all(ctx, before)
	if ctx.Err() != nil {
		return // an unfinished look-up is no news
	}
	r.mu.Lock()
	latest, changed := maps.Clone(r.answers), false
	for a, was := range r.answers {
		if now, ok := after[a]; ok {
			latest[a] = now
			changed = changed || !sameAnswer(was, now)
		}
	}
	r.answers = latest // a new map: others read the old one without the mutex
	r.mu.Unlock()
	if changed {
		r.report(maps.Clone(latest))
	}
}

func sameAnswer(a, b answer) bool {
	return a.ip == b.ip && (a.fault == nil) == (b.fault == nil)
}

// report leaves the latest answers for the loop without waiting for it.
func (r *resolver) report(answers map[model.Address]answer) {
	select {
	case <-r.news:
	default:
	}
	select {
	case r.news <- answers:
	default:
	}
}

func (r *resolver) all(ctx context.Context, ask map[model.Address]answer) map[model.Address]answer {
	var mu sync.Mutex
	var all sync.WaitGroup
	answers := make(map[model.Address]answer, len(ask))
	slots := make(chan struct{}, 64)
	for a, was := range ask {
		all.Go(func() {
			slots <- struct{}{}
			now := r.one(ctx, a, was)
			<-slots
			mu.Lock()
			answers[a] = now
			mu.Unlock()
		})
	}
	all.Wait()
	return answers
}

func (r *resolver) one(ctx context.Context, a model.Address, was answer) answer {
	ctx, cancel := context.WithTimeout(ctx, resolveLimit)
	defer cancel()
	choice, err := r.lookup(ctx, "ip", a.Host)
	if err == nil && len(choice) == 0 {
		err = errors.New("no address")
	}
	if err != nil {
		was.fault = fmt.Errorf("resolve %s: %w", a.Host, err)
		return was
	}
	for i := range choice {
		choice[i] = choice[i].Unmap()
	}
	slices.SortFunc(choice, ipv4First)
	if was.alive && was.fault == nil && slices.Equal(choice, was.choice) {
		return was
	}
	return choose(ctx, a, choice)
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
