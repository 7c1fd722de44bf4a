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

	mu       sync.Mutex
	whole    *snapshot // what is published; nil before the first Publish
	redacted *snapshot // the same without private keys
	target   *snapshot // whole, without what lingers
	targetR  *snapshot
	since    time.Time // of the last Publish
	lingers  bool
	count    int // of publications
	clients  map[int64]*client
	asking   map[any]*client // by request, between a callback and its watch
	polls    map[*poll]bool  // state-of-the-world watches that wait for news
}

// NewServer makes a server that publishes nothing yet. It calls poke whenever
// an Envoy came, went, accepted or refused; poke must not block and must not
// call back.
func NewServer(poke func()) *Server {
	return &Server{
		poke:    poke,
		clients: map[int64]*client{},
		asking:  map[any]*client{},
		polls:   map[*poll]bool{},
	}
}

// Publish makes r what every Envoy shall have. Pools that r no longer has stay
// until every Envoy has accepted the routes without them (Advance).
func (s *Server) Publish(r Resources, now time.Time) {
	target, targetR := newSnapshot(r), newSnapshot(r.Redacted())
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.target != nil && target.versions == s.target.versions {
		return
	}
	s.target, s.targetR, s.since = target, targetR, now
	s.count++
	if s.whole == nil {
		s.whole, s.redacted, s.lingers = target, targetR, false
	} else {
		s.whole, s.lingers = target.keeping(s.whole)
		s.redacted, _ = targetR.keeping(s.redacted)
	}
	for _, c := range s.clients {
		c.forget(s.view(c.trusted), s.count)
	}
	s.push(now)
}

// Advance does what is due at now: it ends waits that took too long and takes
// away pools that lingered. It returns when it wants to be called again; the
// zero time is never.
func (s *Server) Advance(now time.Time) (next time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.whole == nil {
		return time.Time{}
	}
	if s.lingers && (s.routed() || now.Sub(s.since) >= settleLimit) {
		s.whole, s.redacted, s.lingers = s.target, s.targetR, false
	}
	s.push(now)
	if s.lingers {
		next = s.since.Add(settleLimit)
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
		if s.whole == nil || !c.kinds[Listeners].asked || !c.settled(s.whole, Kinds()...) {
			return false
		}
		needed = false
	}
	return !needed && !s.lingers
}

// routed tells whether no trusted Envoy still waits for listeners or routes.
func (s *Server) routed() bool {
	for _, c := range s.clients {
		if c.trusted && !c.settled(s.whole, Listeners, Routes) {
			return false
		}
	}
	return true
}

// push answers every waiting client that lacks something.
func (s *Server) push(now time.Time) {
	for _, c := range s.clients {
		c.answer(s.view(c.trusted), s.count, now)
	}
	for p := range s.polls {
		if p.answer(s.view(p.trusted)) {
			delete(s.polls, p)
		}
	}
}

func (s *Server) view(trusted bool) *snapshot {
	if trusted {
		return s.whole
	}
	return s.redacted
}

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
