package console

import (
	"sync"
	"time"

	"usher/cmd/usher/figures"
	"usher/cmd/usher/status"
)

// shared keeps what was rendered last for as long as it says what is so: however many
// look at once, a page is made once for each reading of the figures.
type shared struct {
	mu  sync.Mutex
	of  moment
	all map[audience][]byte
}

// moment is what a page was made of.
type moment struct {
	status, figures int64 // their times
	minute          int64 // what is told of time is told in minutes
}

// audience are those who see the same page.
type audience struct {
	operator bool
	filter   string
}

// mostShared bounds the memory: beyond it, pages are made for each.
const mostShared = 20

// page is what was rendered for an audience at a moment, or what render makes.
func (s *shared) page(at moment, who audience, render func() []byte) []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.of != at || s.all == nil {
		s.of, s.all = at, map[audience][]byte{}
	}
	if text, ok := s.all[who]; ok {
		return text
	}
	text := render()
	if len(s.all) < mostShared {
		s.all[who] = text
	}
	return text
}

func momentOf(s *status.Status, seen *figures.Now, now time.Time) moment {
	m := moment{status: s.Time.UnixNano(), minute: now.Unix() / 60}
	if seen != nil {
		m.figures = seen.Time.UnixNano()
	}
	return m
}
