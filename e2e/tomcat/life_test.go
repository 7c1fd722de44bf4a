//go:build tomcat

package tomcat

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"time"
)

// applicationsKeepTheirNodes visits three web applications in turn, each with a
// JSESSIONID for its own path. From the second time on the browser sends that of /
// to the others as well, behind the narrower one (RFC 6265, section 5.4).
func (s *site) applicationsKeepTheirNodes() {
	var apart atomic.Int64
	wrong := together(s.browsers(s.fronts[0], 20, true), func(b *browser) error {
		last := map[string]page{}
		for range requests {
			for _, path := range []string{"/shop/", "/desk/", "/"} {
				now, err := b.get(path)
				if err != nil {
					return err
				}
				if before, ok := last[path]; ok && before.holds(now) != "" {
					return fmt.Errorf("%s: %s", path, before.holds(now))
				}
				last[path] = now
			}
		}
		if shop := last["/shop/"].Node; shop != last["/desk/"].Node && shop != last["/"].Node {
			apart.Add(1)
		}
		return nil
	})
	s.mustBeRight("three applications", wrong)
	if apart.Load() == 0 {
		s.t.Error("no browser had its sessions on different nodes")
	}
}

func (s *site) drains() {
	f := s.fronts[0]
	all := s.browsers(f, 20, true)
	begun := map[*browser]page{}
	for _, b := range all {
		p, err := b.get("/shop/")
		must(s.t, err)
		begun[b] = p
	}
	s.change(map[string]string{"isNode2": "drain"})
	for b, before := range begun {
		now, err := b.get("/shop/")
		must(s.t, err)
		if before.holds(now) != "" {
			s.t.Error(before.holds(now))
		}
	}
	if on := s.newSessions(f, 20); on["isNode2"] > 0 {
		s.t.Errorf("new sessions while isNode2 drains: %v", on)
	}
	s.change(nil)
	s.onBoth(f)
}

// visitor is a user who keeps coming while a node dies.
type visitor struct {
	*browser
	first, last     page
	requests, moves atomic.Int64
	slowest         atomic.Int64 // nanoseconds
	failed          atomic.Bool
}

func (s *site) visitors(f *front, n int) (all []*visitor) {
	s.t.Helper()
	for _, b := range s.browsers(f, n, true) {
		p, err := b.get("/shop/")
		must(s.t, err)
		all = append(all, &visitor{browser: b, first: p, last: p})
	}
	return all
}

func (v *visitor) keepComing(ctx context.Context) error {
	for pause(ctx) {
		began := time.Now()
		now, err := v.get("/shop/")
		if err != nil {
			return err
		}
		v.slowest.Store(max(v.slowest.Load(), int64(time.Since(began))))
		v.requests.Add(1)
		if now.Node != v.last.Node {
			v.moves.Add(1)
		} else if why := v.last.holds(now); why != "" {
			return errors.New(why)
		}
		v.last = now
	}
	return nil
}

// killed kills a node under load. The GETs of its users go to the other at once and
// stay there, also when it has come back; nobody else moves.
func (s *site) killed() {
	f, dead := s.fronts[0], s.nodes[1]
	all := s.visitors(f, 30)
	s.during(all, func() {
		s.until("everybody to come", all, func(v *visitor) bool { return v.requests.Load() >= 3 })
		dead.kill()
		took := s.until("the users of the dead node to move", all, func(v *visitor) bool { return v.first.Node != dead.name || v.moves.Load() > 0 })
		s.t.Logf("its users have moved after %s", took)
		if took > time.Second {
			s.t.Error("that took too long")
		}
		dead.start(s.t)
		took = dead.ready(s.t)
		s.t.Logf("it serves again after %s, and gets new sessions %s later", took, s.onBoth(f))
		for _, v := range all {
			v.requests.Store(0)
		}
		s.until("everybody to come again", all, func(v *visitor) bool { return v.requests.Load() >= 10 })
	})
	var slowest int64
	on := map[string]int{}
	for _, v := range all {
		on[v.first.Node]++
		slowest = max(slowest, v.slowest.Load())
		if want := map[bool]int64{true: 1}[v.first.Node == dead.name]; v.moves.Load() != want {
			s.t.Errorf("a user of %s moved %d times, want %d", v.first.Node, v.moves.Load(), want)
		}
	}
	s.t.Logf("users %v, the slowest answer took %s", on, time.Duration(slowest))
}

// during keeps all visitors busy while something happens.
func (s *site) during(all []*visitor, what func()) {
	s.t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	done := make(chan []error)
	go func() {
		done <- together(all, func(v *visitor) error {
			err := v.keepComing(ctx)
			v.failed.Store(err != nil)
			return err
		})
	}()
	what()
	cancel()
	s.mustBeRight("visitors", <-done)
}

// until waits for every visitor, unless one has failed.
func (s *site) until(what string, all []*visitor, ok func(*visitor) bool) time.Duration {
	s.t.Helper()
	return until(s.t, what, func() bool {
		failed := slices.ContainsFunc(all, func(v *visitor) bool { return v.failed.Load() })
		return failed || !slices.ContainsFunc(all, func(v *visitor) bool { return !ok(v) })
	})
}
