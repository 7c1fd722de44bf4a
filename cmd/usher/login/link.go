package login

import (
	"sync"
	"time"
)

const (
	// linkLife is how long a one-time link is good.
	linkLife = 5 * time.Minute
	// mostLinks is how many may wait to be used.
	mostLinks = 100
)

// links are the one-time links that were given out and not used yet.
type links struct {
	mu  sync.Mutex
	all map[key]link
}

type link struct {
	user    User
	expires time.Time
}

func newLinks() *links { return &links{all: map[key]link{}} }

// give makes a link's secret for somebody; ok is false while too many wait.
func (l *links) give(name string, now time.Time) (text string, expires time.Time, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for k, each := range l.all {
		if !now.Before(each.expires) {
			delete(l.all, k)
		}
	}
	if len(l.all) >= mostLinks {
		return "", time.Time{}, false
	}
	text, expires = secret(), now.Add(linkLife)
	l.all[keyOf(text)] = link{User{Name: name, Role: Operator, Via: ViaLink}, expires}
	return text, expires, true
}

// take uses a link up.
func (l *links) take(text string, now time.Time) (User, bool) {
	k := keyOf(text)
	l.mu.Lock()
	defer l.mu.Unlock()
	found, ok := l.all[k]
	delete(l.all, k)
	if !ok || !now.Before(found.expires) {
		return User{}, false
	}
	return found.user, true
}
