package main

import (
	"context"
	"maps"
	"sync"
	"time"

	"usher/xds"
)

const (
	// asksAtOnce bounds the questions under way.
	asksAtOnce = 32
	// askEvery is the time between two looks at who is due.
	askEvery = 250 * time.Millisecond
	// healthsAtATime and sessionsAtATime are how many are asked at each look: where
	// there are too many nodes, a round takes longer. A question for a session with
	// its TLS handshake takes usher some 0.8 ms, so that all of them together take
	// less than 1 % of a core.
	healthsAtATime  = 256
	sessionsAtATime = 1
	// saved is how many looks' worth of questions may be asked at once after a pause.
	saved = 32
)

// soonAgain is when a node that did not answer is asked again, at most.
const soonAgain = 10 * time.Second

// asker asks nodes how they are, and reports when one wishes something else.
type asker struct {
	news chan map[xds.NodeOf]wish // the latest wishes, when they changed
	slot chan struct{}
	// others says that others are followed.
	others chan struct{}
	pace   int // questions at each look
	left   int // of those that may be asked; run's own

	mu    sync.Mutex
	asked map[xds.NodeOf]*asking
}

// asking is one node that is asked.
type asking struct {
	inquiry
	wish wish
	due  time.Time
	busy bool
}

func newAsker(pace int) *asker {
	return &asker{
		news: make(chan map[xds.NodeOf]wish, 1), slot: make(chan struct{}, asksAtOnce), pace: pace, left: pace * saved,
		others: make(chan struct{}, 1), asked: map[xds.NodeOf]*asking{},
	}
}

// follow asks these nodes from now on, and no others. What is known of those that
// are asked the same as before stays.
func (a *asker) follow(all map[xds.NodeOf]inquiry) {
	a.mu.Lock()
	defer a.mu.Unlock()
	asked := make(map[xds.NodeOf]*asking, len(all))
	for of, q := range all {
		was, ok := a.asked[of]
		switch {
		case !ok:
			was = &asking{inquiry: q}
		case !was.same(q):
			was = &asking{inquiry: q, wish: was.wish} // until it answers the new one
		default:
			was.inquiry = q // the old one would keep all of its file
		}
		asked[of] = was
	}
	a.asked = asked
	select {
	case a.others <- struct{}{}:
	default:
	}
}

// wishes are those that are known.
func (a *asker) wishes() map[xds.NodeOf]wish {
	a.mu.Lock()
	defer a.mu.Unlock()
	all := map[xds.NodeOf]wish{}
	for of, s := range a.asked {
		if s.wish != (wish{}) {
			all[of] = s.wish
		}
	}
	return all
}

// run asks until ctx ends. A node that is slow to answer holds up no other.
func (a *asker) run(ctx context.Context) {
	var all sync.WaitGroup
	defer all.Wait()
	look := time.NewTimer(askEvery)
	defer look.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-a.others:
		case now := <-look.C:
			for s, q := range a.next(now) {
				all.Go(func() { a.ask(ctx, s, q) })
			}
		}
		look.Reset(a.rest(time.Now()))
	}
}

// rest is how long nobody is due.
func (a *asker) rest(now time.Time) time.Duration {
	a.mu.Lock()
	defer a.mu.Unlock()
	rest := longestRest
	for _, s := range a.asked {
		if !s.busy {
			rest = min(rest, s.due.Sub(now))
		} else {
			rest = min(rest, time.Second) // when it has answered
		}
		if rest <= askEvery {
			break
		}
	}
	return max(rest, askEvery)
}

// next are those who are due and not being asked, and what they are asked.
func (a *asker) next(now time.Time) map[*asking]inquiry {
	a.mu.Lock()
	defer a.mu.Unlock()
	due := map[*asking]inquiry{}
	a.left = min(a.left+a.pace, a.pace*saved)
	for _, s := range a.asked {
		if a.left == 0 {
			break
		}
		if !s.busy && !now.Before(s.due) {
			s.busy = true
			a.left--
			due[s] = s.inquiry
		}
	}
	return due
}

func (a *asker) ask(ctx context.Context, s *asking, q inquiry) {
	a.slot <- struct{}{}
	found, err := q.ask(ctx)
	<-a.slot
	a.mu.Lock()
	s.busy, s.due = false, time.Now().Add(q.every())
	if err != nil {
		s.due = time.Now().Add(min(q.every(), soonAgain))
	}
	changed := err == nil && found != s.wish // silence is no news
	if changed {
		s.wish = found
	}
	a.mu.Unlock()
	if changed && ctx.Err() == nil {
		a.report()
	}
}

// report leaves the latest wishes for the loop without waiting for it.
func (a *asker) report() {
	latest := a.wishes()
	a.mu.Lock()
	defer a.mu.Unlock()
	select {
	case <-a.news:
	default:
	}
	a.news <- maps.Clone(latest) // under the lock, nobody else sends
}
