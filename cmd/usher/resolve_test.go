package main

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"usher/cmd/usher/status"
	"usher/model"
)

// names is a name service that a test may change.
type names struct {
	mu    sync.Mutex
	known map[string][]netip.Addr
	slow  map[string]time.Duration
}

func namesOf(host string, ips ...string) *names {
	n := &names{known: map[string][]netip.Addr{}, slow: map[string]time.Duration{}}
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

// take lets answers about a host take this long.
func (n *names) take(host string, long time.Duration) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.slow[host] = long
}

func (n *names) lookup(ctx context.Context, _, host string) ([]netip.Addr, error) {
	n.mu.Lock()
	long, known := n.slow[host], append([]netip.Addr{}, n.known[host]...)
	n.mu.Unlock()
	select {
	case <-time.After(long):
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if len(known) == 0 {
		return nil, errors.New("no such host")
	}
	return known, nil
}

// running is a resolver in a bubble, where time is not waited for.
func running(t *testing.T, n *names) *resolver {
	t.Helper()
	r := newResolver()
	r.lookup = n.lookup
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { defer close(done); r.run(ctx) }()
	t.Cleanup(func() { cancel(); <-done })
	return r
}

// asks resolves names and watches them.
func (r *resolver) asks(t *testing.T, all ...model.Address) map[model.Address]answer {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), saveWaits)
	defer cancel()
	answers := r.resolve(ctx, all)
	r.watch(answers)
	return answers
}

// next is the next piece of news, within a minute of the bubble's time.
func (r *resolver) next(t *testing.T) map[model.Address]answer {
	t.Helper()
	select {
	case all := <-r.news:
		return all
	case <-time.After(time.Minute):
		t.Fatal("no news")
		return nil
	}
}

func at(host string) model.Address { return model.Address{Host: host, Port: 9443} }

// mustBe compares an answer: an address, empty for none, and whether there was
// a fault.
func (a answer) mustBe(t *testing.T, ip string, fault bool) {
	t.Helper()
	got := ""
	if a.ip.IsValid() {
		got = a.ip.String()
	}
	if got != ip || (a.fault != nil) != fault {
		t.Errorf("%q, fault %v, want %q", got, a.fault, ip)
	}
}

func TestANameThatPointsElsewhereIsNews(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n, a := namesOf("node", "192.0.2.1"), at("node")
		r := running(t, n)
		r.asks(t, a)[a].mustBe(t, "192.0.2.1", false)
		n.say("node", "192.0.2.2")
		r.next(t)[a].mustBe(t, "192.0.2.2", false)
		n.say("node")
		r.next(t)[a].mustBe(t, "192.0.2.2", true) // a name that is gone keeps its last address
		n.say("node", "192.0.2.2")
		r.next(t)[a].mustBe(t, "192.0.2.2", false)
	})
}

func TestANameThatNeverResolvedIsKnownLater(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n, a := namesOf("late"), at("late")
		r := running(t, n)
		r.asks(t, a)[a].mustBe(t, "", true)
		n.say("late", "192.0.2.9")
		r.next(t)[a].mustBe(t, "192.0.2.9", false)
	})
}

// TestASlowAnswerIsKnownLaterAndHoldsUpNobody: a dead first name server costs
// 5 s before the second is asked, which a save does not wait for.
func TestASlowAnswerIsKnownLaterAndHoldsUpNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n, slow, quick := namesOf("slow", "192.0.2.1"), at("slow"), at("quick")
		n.say("quick", "192.0.2.2")
		n.take("slow", 10*time.Second)
		r, began := running(t, n), time.Now()
		all := r.asks(t, slow, quick)
		all[slow].mustBe(t, "", true)
		all[quick].mustBe(t, "192.0.2.2", false)
		if took := time.Since(began); took != saveWaits {
			t.Errorf("a save waited %s", took)
		}
		n.say("quick", "192.0.2.3")
		all = r.next(t)
		all[slow].mustBe(t, "", true)
		all[quick].mustBe(t, "192.0.2.3", false)
		if took, want := time.Since(began), resolveEvery+gatherFor; took != want {
			t.Errorf("what is quick was news after %s, want %s", took, want)
		}
		r.next(t)[slow].mustBe(t, "192.0.2.1", false)
		if took, want := time.Since(began), resolveEvery+10*time.Second+gatherFor; took != want {
			t.Errorf("what is slow was news after %s, want %s", took, want)
		}
	})
}

// TestManySlowNamesDoNotHoldUpASave: the rounds and a save do not share a queue.
func TestManySlowNamesDoNotHoldUpASave(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := namesOf("quick", "192.0.2.2")
		r := running(t, n)
		var slow []model.Address
		for i := range 3 * namesAtOnce {
			slow = append(slow, at(fmt.Sprintf("slow%d", i)))
			n.take(slow[i].Host, time.Hour)
		}
		began := time.Now()
		r.asks(t, slow...)
		if took := time.Since(began); took != saveWaits {
			t.Errorf("a save of many slow names waited %s", took)
		}
		time.Sleep(resolveEvery + time.Second) // the bubble's time: now their look-ups are under way
		began = time.Now()
		r.asks(t, append(slow, at("quick"))...)[at("quick")].mustBe(t, "192.0.2.2", false)
		if took := time.Since(began); took > 0 {
			t.Errorf("a save beside them waited %s", took)
		}
	})
}

// TestALateFaultLeavesWhatIsServed, were it another address than when the
// look-up began.
func TestALateFaultLeavesWhatIsServed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n, a := namesOf("node", "192.0.2.1"), at("node")
		r := running(t, n)
		r.asks(t, a)
		n.say("node")
		n.take("node", 10*time.Second)
		time.Sleep(resolveEvery + time.Second) // the bubble's time: now the look-up is under way
		n.take("node", 0)
		n.say("node", "192.0.2.2")
		r.watch(nil) // it leaves the file, and comes back
		r.asks(t, a)[a].mustBe(t, "192.0.2.2", false)
		r.next(t)[a].mustBe(t, "192.0.2.2", true)
		r.next(t)[a].mustBe(t, "192.0.2.2", false)
	})
}

func TestASaveWaitsASecondForNames(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := namesOf("node.example", "192.0.2.1")
		n.take("node.example", 5*time.Second)
		began := time.Now()
		l := naming(t, n)
		if took := time.Since(began); took != time.Second {
			t.Errorf("the save took %s", took)
		}
		if l.now.source != status.FromFile {
			t.Error("it is not served")
		}
	})
}
