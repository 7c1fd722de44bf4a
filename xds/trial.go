package xds

import "time"

// One Envoy is tried first. What it refuses, the others never see; once it has
// accepted everything, or said nothing for too long, they follow.

// choose begins a trial on the way to something, where that makes sense: what
// Envoy may refuse has changed, and others would be spared.
func (s *Server) choose(to twins) {
	if s.tried != nil {
		return // the same one is tried with what is new
	}
	if s.rest.target.whole == nil || !risky(s.rest.target.whole, to.whole) {
		return
	}
	if first, several := s.first(); several {
		own := *s.rest
		s.tried, s.lead = first, &own
		first.track = s.lead
	}
}

// risky tells whether something changes that Envoy may refuse: all but endpoints.
func risky(was, next *snapshot) bool {
	for _, k := range Kinds() {
		if k != Endpoints && was.versions[k] != next.versions[k] {
			return true
		}
	}
	return false
}

// first is the trusted Envoy that has been connected for longest, of those that
// serve.
func (s *Server) first() (first *client, several bool) {
	n := 0
	for _, c := range s.clients {
		if !c.trusted || !c.kinds[Listeners].asked {
			continue
		}
		n++
		if first == nil || c.since.Before(first.since) {
			first = c
		}
	}
	return first, n > 1
}

// advanceTrial goes on with a trial: the others follow when it is over, and the
// tracks are one again when nothing lingers on either.
func (s *Server) advanceTrial(now time.Time) {
	if s.tried == nil {
		return
	}
	s.replace(now)
	if s.over(now) && !s.rest.has(s.lead.target) {
		s.rest.move(s.lead.target, s.lead.count, now)
		s.forget(s.rest)
	}
	if s.rest.has(s.lead.target) && !s.rest.lingers && !s.lead.lingers && s.over(now) {
		s.rest.count = s.lead.count
		s.join()
	}
}

// replace tries another one where the first has gone: it may have died of it.
func (s *Server) replace(now time.Time) {
	if s.connected(s.tried) || s.rest.has(s.lead.target) {
		return
	}
	if next, several := s.first(); several {
		s.tried, next.track, s.lead.since = next, s.lead, now
		s.forget(s.lead)
	}
}

// over tells whether the Envoy that is tried has accepted everything, has gone, or
// has been silent for too long. A refusal is not the end: what was accepted before
// is published then.
func (s *Server) over(now time.Time) bool {
	if !s.connected(s.tried) {
		return true
	}
	return s.tried.settled(s.lead.now.whole, Kinds()...) || !s.tried.refuses() && !now.Before(s.lead.since.Add(settleLimit))
}

// trialEnds is when to look again, where nobody wakes the server before.
func (s *Server) trialEnds(now time.Time) time.Time {
	if end := s.lead.since.Add(settleLimit); now.Before(end) {
		return end
	}
	return time.Time{}
}

// join makes the tracks one.
func (s *Server) join() {
	for _, c := range s.clients {
		c.track = s.rest
	}
	s.lead, s.tried = s.rest, nil
}

func (s *Server) connected(c *client) bool {
	for _, other := range s.clients {
		if other == c {
			return true
		}
	}
	return false
}

func (c *client) refuses() bool {
	for k := range c.kinds {
		if c.kinds[k].refused != nil {
			return true
		}
	}
	return false
}
