package login

import (
	"context"
	"crypto/sha256"
	"sync"
	"time"
)

const (
	// idle ends a session without a request.
	idle = 30 * time.Minute
	// longest ends every session: those of OpenID Connect see no other end when
	// the provider takes somebody's rights away.
	longest = 12 * time.Hour
	// mostSessions and mostOfOne bound the memory; the one that was used least
	// recently makes room.
	mostSessions = 1000
	mostOfOne    = 20
)

// session is a browser that is logged in. Its user and tokens never change.
type session struct {
	user  User
	token string            // of its forms
	stamp [sha256.Size]byte // of the person in the users file, where it hangs on one
	at    place
	began time.Time
	used  time.Time       // guarded by sessions.mu
	ended context.Context // done when the session is over
	end   context.CancelFunc
}

// place is where a browser asks from. Cookies lie open to the servers of all ports
// of a host, among them the nodes behind a listener of this very machine: one
// that is shown elsewhere was stolen.
type place struct {
	peer    int    // the user id of the browser's process on this machine, or unknownPeer
	network string // see network
}

// holds tells whether a session that began here may be used there.
func (p place) holds(there place) bool {
	return p.network == there.network && (p.peer == unknownPeer || p.peer == there.peer)
}

// sessions are those who are logged in, by the hash of what their cookie holds.
type sessions struct {
	mu  sync.Mutex
	all map[key]*session
}

func newSessions() *sessions { return &sessions{all: map[key]*session{}} }

// begin is a new session; id is what its cookie holds.
func (s *sessions) begin(user User, stamp [sha256.Size]byte, at place, now time.Time) (id string) {
	id = secret()
	begun := &session{user: user, token: secret(), stamp: stamp, at: at, began: now, used: now}
	begun.ended, begun.end = context.WithCancel(context.Background())
	s.mu.Lock()
	defer s.mu.Unlock()
	s.makeRoom(user)
	s.all[keyOf(id)] = begun
	return id
}

// makeRoom ends the session that was used least recently: of the same user where
// he has too many, of all where there are.
func (s *sessions) makeRoom(user User) {
	var own, any key
	var ownAt, anyAt time.Time
	count := 0
	for k, e := range s.all {
		if anyAt.IsZero() || e.used.Before(anyAt) {
			any, anyAt = k, e.used
		}
		if e.user.Name != user.Name || e.user.Via != user.Via {
			continue
		}
		if count++; ownAt.IsZero() || e.used.Before(ownAt) {
			own, ownAt = k, e.used
		}
	}
	switch {
	case count >= mostOfOne:
		s.remove(own)
	case len(s.all) >= mostSessions:
		s.remove(any)
	}
}

func (s *sessions) remove(k key) {
	if e := s.all[k]; e != nil {
		e.end()
		delete(s.all, k)
	}
}

// find is the session of a cookie, nil where there is none, or it is over or
// stolen. A request that somebody made, and not his browser by itself, keeps it
// alive.
func (s *sessions) find(id string, at place, background bool, e entries, now time.Time) (found *session, stolen bool) {
	k := keyOf(id)
	s.mu.Lock()
	defer s.mu.Unlock()
	found = s.all[k]
	switch {
	case found == nil:
		return nil, false
	case found.over(e, now):
		s.remove(k)
		return nil, false
	case !found.at.holds(at):
		return nil, true
	}
	if !background {
		found.used = now
	}
	return found, false
}

// over tells whether a session has ended: by its age, or because its user is no
// longer the one whom it was given to.
func (s *session) over(e entries, now time.Time) bool {
	if now.Sub(s.used) >= idle || now.Sub(s.began) >= longest {
		return true
	}
	if s.user.Via != ViaPassword {
		return false
	}
	p, there := e.user(s.user.Name)
	return !there || p.stamp() != s.stamp
}

// drop ends the session of a cookie.
func (s *sessions) drop(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.remove(keyOf(id))
}

// sweep ends the sessions that are over, with the answers that still stream to
// them, and returns their users.
func (s *sessions) sweep(e entries, now time.Time) (gone []User) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for k, each := range s.all {
		if each.over(e, now) {
			gone = append(gone, each.user)
			s.remove(k)
		}
	}
	return gone
}
