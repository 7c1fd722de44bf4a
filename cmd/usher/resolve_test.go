package main

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"sync"
	"testing"
	"time"

	"usher/model"
)

// names is a name service that a test may change.
type names struct {
	mu    sync.Mutex
	known map[string][]netip.Addr
}

func namesOf(host string, ips ...string) *names {
	n := &names{known: map[string][]netip.Addr{}}
	n.say(host, ips...)
	return n
}

func (n *names) say(host string, ips ...string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.known[host] = nil
	for _, ip := range ips {
		n.known[host] = append(n.known[host], netip.MustParseAddr(ip))
	}
}

func (n *names) lookup(_ context.Context, _, host string) ([]netip.Addr, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if len(n.known[host]) == 0 {
		return nil, errors.New("no such host")
	}
	return append([]netip.Addr{}, n.known[host]...), nil
}

func runningResolver(t *testing.T) (*resolver, *names) {
	t.Helper()
	n := &names{known: map[string][]netip.Addr{}}
	r := newResolver()
	r.lookup, r.every = n.lookup, 5*time.Millisecond
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { defer close(done); r.run(ctx) }()
	t.Cleanup(func() { cancel(); <-done })
	return r, n
}

// known resolves a name and watches it.
func (r *resolver) known(t *testing.T, a model.Address) answer {
	t.Helper()
	all := r.resolve(t.Context(), []model.Address{a})
	r.watch(all)
	return all[a]
}

func news(t *testing.T, r *resolver, a model.Address) answer {
	t.Helper()
	select {
	case all := <-r.news:
		return all[a]
	case <-time.After(10 * time.Second):
		t.Fatal("no news")
		return answer{}
	}
}

func TestANameThatPointsElsewhereIsNews(t *testing.T) {
	r, n := runningResolver(t)
	a := model.Address{Host: "node", Port: 9443}
	n.say("node", "192.0.2.1")
	if got := r.known(t, a); got.ip.String() != "192.0.2.1" || got.fault != nil {
		t.Fatalf("%+v", got)
	}
	n.say("node", "192.0.2.2")
	if got := news(t, r, a); got.ip.String() != "192.0.2.2" {
		t.Errorf("%+v", got)
	}
	n.say("node")
	if got := news(t, r, a); got.ip.String() != "192.0.2.2" || got.fault == nil {
		t.Errorf("a name that is gone: %+v; the last address has to stay", got)
	}
	n.say("node", "192.0.2.2")
	if got := news(t, r, a); got.fault != nil {
		t.Errorf("back again: %+v", got)
	}
}

func TestANameThatNeverResolvesIsKnownLater(t *testing.T) {
	r, n := runningResolver(t)
	a := model.Address{Host: "late", Port: 9443}
	if got := r.known(t, a); got.ip.IsValid() || got.fault == nil {
		t.Fatalf("%+v", got)
	}
	n.say("late", "192.0.2.9")
	if got := news(t, r, a); got.ip.String() != "192.0.2.9" || got.fault != nil {
		t.Errorf("%+v", got)
	}
}

func TestOfSeveralAddressesTheFirstThatAnswersIsTaken(t *testing.T) {
	lis, err := net.Listen("tcp", "127.0.0.2:0")
	if err != nil {
		t.Fatal(err)
	}
	defer lis.Close() //nolint:errcheck // the test ends
	r, n := runningResolver(t)
	a := model.Address{Host: "many", Port: lis.Addr().(*net.TCPAddr).AddrPort().Port()}
	n.say("many", "::1", "127.0.0.3", "127.0.0.2")
	if got := r.known(t, a); got.ip.String() != "127.0.0.2" {
		t.Errorf("%+v", got)
	}
	b := model.Address{Host: "many", Port: 1}
	if got := r.known(t, b); got.ip.String() != "127.0.0.2" {
		t.Errorf("when nobody answers: %+v; the first IPv4 address stands in", got)
	}
}
