package xds

import (
	"context"
	"sync"
	"time"

	serverv3 "github.com/envoyproxy/go-control-plane/pkg/server/v3"
)

const (
	// settleLimit bounds every wait for an Envoy: what depends on its acceptance
	// goes on without it after this time.
	settleLimit = 5 * time.Second
	// warmUp is given to new clusters after Envoy has their endpoints: it serves
	// none before its first round of health checks, and says nothing when that
	// is over. A live node answers in milliseconds.
	warmUp = 300 * time.Millisecond
)

// Server publishes resources to every connected Envoy and remembers what each
// has accepted. Its methods may be called from any goroutine.
type Server struct {
	poke func()

	mu      sync.Mutex
	rest    *track // what all Envoys have, but one
	lead    *track // what that one is tried with; rest where none is
	tried   *client
	count   int // of publications
	clients map[int64]*client
	asking  map[any]*client // by request, between a callback and its watch
	polls   map[*poll]bool  // state-of-the-world watches that wait for news
	counted [kinds]Count
}

// NewServer makes a server that publishes nothing yet. It calls poke whenever
// an Envoy came, went, accepted or refused; poke must not block and must not
// call back.
func NewServer(poke func()) *Server {
	everyone := &track{}
	return &Server{
		poke:    poke,
		rest:    everyone,
		lead:    everyone,
		clients: map[int64]*client{},
		asking:  map[any]*client{},
		polls:   map[*poll]bool{},
	}
}

// Publish makes r what every Envoy shall have: one of them first, where several
// are connected and it is more than a change of nodes. Pools that r no longer has
// stay until every Envoy has accepted the routes without them (Advance).
func (s *Server) Publish(r Resources, now time.Time) {
	s.mu.Lock()
	was := s.lead.target
	s.mu.Unlock()
	to := newTwins(r, was) // nobody waits for it
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.lead.has(to) {
		return
	}
	s.count++
	s.choose(to)
	s.lead.move(to, s.count, now)
	s.forget(s.lead)
	s.push(now)
}

// Advance does what is due at now: it ends waits that took too long, takes away
// pools that lingered, and tells all Envoys what one has been tried with. It
// returns when it wants to be called again; the zero time is never.
func (s *Server) Advance(now time.Time) (next time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.lead.now.whole == nil {
		return time.Time{}
	}
	s.advanceTrial(now)
	s.settle(s.lead, now)
	s.settle(s.rest, now)
	s.push(now)
	next = earlier(s.lead.due(), s.rest.due())
	if s.tried != nil {
		next = earlier(next, s.trialEnds(now))
	}
	for _, c := range s.clients {
		next = earlier(next, c.due)
	}
	return next
}

// Settled tells whether every Envoy that is trusted with keys has all that it
// asked for and refused none of it. Where there is no such Envoy it is true
// unless one is needed.
func (s *Server) Settled(needed bool) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range s.clients {
		if !c.trusted {
			continue
		}
		// Listeners are the last thing that a starting Envoy asks for.
		if whole := c.track.now.whole; whole == nil || !c.kinds[Listeners].asked || !c.settled(whole, Kinds()...) {
			return false
		}
		needed = false
	}
	return !needed && s.tried == nil && !s.rest.lingers
}

// push answers every waiting client that lacks something.
func (s *Server) push(now time.Time) {
	for _, c := range s.clients {
		c.answer(c.view(), c.track.count, now)
	}
	for p := range s.polls {
		if p.answer(s.view(p.trusted)) {
			delete(s.polls, p)
		}
	}
}

// view is what is published, for those who only look.
func (s *Server) view(trusted bool) *snapshot { return s.lead.now.of(trusted) }

// face is the server as seen from one kind of transport: with private keys for
// those that proved who they are, without for everyone else.
func (s *Server) face(ctx context.Context, trusted bool) serverv3.Server {
	f := &face{s, trusted}
	return serverv3.NewServer(ctx, f, f)
}

func earlier(a, b time.Time) time.Time {
	if a.IsZero() || (!b.IsZero() && b.Before(a)) {
		return b
	}
	return a
}
