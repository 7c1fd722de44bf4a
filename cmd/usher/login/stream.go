package login

import (
	"context"
	"crypto/sha256"
	"sync"
)

// streams are the requests with a token that are being answered, some of them for
// hours.
type streams struct {
	mu  sync.Mutex
	all map[*stream]bool
}

type stream struct {
	sum    [sha256.Size]byte // of its token
	cancel context.CancelFunc
}

// add notes a request until it is over.
func (s *streams) add(sum [sha256.Size]byte, cancel context.CancelFunc) (over func()) {
	e := &stream{sum, cancel}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.all == nil {
		s.all = map[*stream]bool{}
	}
	s.all[e] = true
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.all, e)
	}
}

// sweep ends those whose token is no longer good.
func (s *streams) sweep(good func(sum [sha256.Size]byte) bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for e := range s.all {
		if !good(e.sum) {
			e.cancel()
		}
	}
}
