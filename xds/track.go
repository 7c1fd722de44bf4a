package xds

import "time"

// twins are a snapshot with private keys and the same without.
type twins struct{ whole, redacted *snapshot }

func (t twins) of(trusted bool) *snapshot {
	if trusted {
		return t.whole
	}
	return t.redacted
}

// track is what some Envoys have at one time, on its way to what they shall have.
type track struct {
	now     twins // what they are told; nil before the first publication
	target  twins // the same, without what lingers
	since   time.Time
	lingers bool
	count   int // the publication that this is
}

// has tells whether the track is on its way to that.
func (t *track) has(to twins) bool {
	return t.target.whole != nil && t.target.whole.versions == to.whole.versions
}

// move begins the way to something else.
func (t *track) move(to twins, count int, now time.Time) {
	t.count = count
	if t.has(to) {
		return
	}
	t.target, t.since = to, now
	if t.now.whole == nil {
		t.now = to
		return
	}
	t.now.whole, t.lingers = to.whole.keeping(t.now.whole)
	t.now.redacted, _ = to.redacted.keeping(t.now.redacted)
}

// due is when the track has waited long enough for acceptance.
func (t *track) due() time.Time {
	if !t.lingers {
		return time.Time{}
	}
	return t.since.Add(settleLimit)
}

// settle takes pools away that lingered, once nobody on the track routes to them.
func (s *Server) settle(t *track, now time.Time) {
	if t.lingers && (s.routed(t) || !now.Before(t.due())) {
		t.now, t.lingers = t.target, false
	}
}

// routed tells whether no trusted Envoy of the track still waits for listeners or
// routes.
func (s *Server) routed(t *track) bool {
	for _, c := range s.clients {
		if c.trusted && c.track == t && !c.settled(t.now.whole, Listeners, Routes) {
			return false
		}
	}
	return true
}

// forget drops what the Envoys of a track said about earlier publications.
func (s *Server) forget(t *track) {
	for _, c := range s.clients {
		if c.track == t {
			c.forget(c.view(), t.count)
		}
	}
}

// view is what the client is told.
func (c *client) view() *snapshot { return c.track.now.of(c.trusted) }
