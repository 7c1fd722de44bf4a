package login

import (
	"crypto/sha256"
	"net/netip"
	"strings"
	"sync"
	"time"
)

// pace is how fast one may guess: so many attempts in a row are free, then each
// waits twice as long as the one before.
type pace struct {
	free    int
	longest time.Duration
}

var (
	// byName: whoever waits here may be the user himself, kept out by somebody
	// who guesses at his name; half a minute is as long as that can last.
	byName = pace{free: 5, longest: 30 * time.Second}
	// byAddress: many people may sit behind one.
	byAddress = pace{free: 20, longest: 15 * time.Minute}
	// byPair: a user at an address from which he has logged in before is held to
	// his own failures there, and not to those of others at his name.
	byPair = pace{free: 5, longest: 30 * time.Second}
)

const (
	// forgotten is when failures no longer count.
	forgotten = time.Hour
	// mostTries bounds each table, some 100 bytes an entry.
	mostTries = 10_000
	// sampled is how many entries are looked at for the oldest one of them.
	sampled = 16
)

type key [sha256.Size]byte

func keyOf(parts ...string) key { return sha256.Sum256([]byte(strings.Join(parts, "\x00"))) }

// tries are the failures in a row of one name or address.
type tries struct {
	failed  int
	last    time.Time
	until   time.Time // nothing is looked at before
	trusted bool      // it succeeded once
}

// table counts the tries of many, in bounded memory.
type table struct {
	pace
	all map[key]*tries
}

func newTable(p pace) *table { return &table{p, map[key]*tries{}} }

// at is the entry of a key, made where there is none; the oldest of some others
// makes room for it.
func (t *table) at(k key, now time.Time) *tries {
	e := t.all[k]
	if e == nil {
		t.makeRoom()
		e = &tries{}
		t.all[k] = e
	}
	if now.Sub(e.last) > forgotten {
		e.failed, e.until = 0, time.Time{}
	}
	e.last = now
	return e
}

func (t *table) makeRoom() {
	if len(t.all) < mostTries {
		return
	}
	var oldest key
	var at time.Time
	seen := 0
	for k, e := range t.all { // in random order
		if seen == 0 || e.last.Before(at) {
			oldest, at = k, e.last
		}
		if seen++; seen == sampled {
			break
		}
	}
	delete(t.all, oldest)
}

// waits is how long a key has to wait.
func (t *table) waits(k key, now time.Time) time.Duration {
	if e := t.all[k]; e != nil {
		return max(0, e.until.Sub(now))
	}
	return 0
}

// count takes an attempt for a failure, until it is known to be none: of many at
// once no more than the free ones are looked at.
func (t *table) count(k key, now time.Time) {
	e := t.at(k, now)
	e.failed++
	if over := e.failed - t.free; over >= 0 {
		e.until = now.Add(min(t.longest, time.Second<<min(over, 20)))
	}
}

// limiter bounds how fast passwords can be guessed.
type limiter struct {
	mu                     sync.Mutex
	names, addresses, both *table
}

func newLimiter() *limiter {
	return &limiter{names: newTable(byName), addresses: newTable(byAddress), both: newTable(byPair)}
}

// attempt is one try to log in.
type attempt struct {
	name, address, pair key
	known               bool // the user has logged in from there before
}

// begin counts an attempt, or says how long it has to wait; then nothing is
// counted, so that whoever waits is not kept waiting by asking.
func (l *limiter) begin(name, from string, now time.Time) (attempt, time.Duration) {
	name, from = strings.ToLower(name), network(from)
	a := attempt{name: keyOf(name), address: keyOf(from), pair: keyOf(name, from)}
	l.mu.Lock()
	defer l.mu.Unlock()
	if e := l.both.all[a.pair]; e != nil {
		a.known = e.trusted
	}
	wait := l.addresses.waits(a.address, now)
	if a.known {
		wait = max(wait, l.both.waits(a.pair, now))
	} else {
		wait = max(wait, l.names.waits(a.name, now))
	}
	if wait > 0 {
		return a, wait
	}
	l.addresses.count(a.address, now)
	if a.known {
		l.both.count(a.pair, now)
	} else {
		l.names.count(a.name, now)
	}
	return a, 0
}

// succeeded takes back what an attempt has counted. The failures of others at
// the same address stay: else one who has a password could guess at those of
// others for ever.
func (l *limiter) succeeded(a attempt, now time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.undo(a, now)
	l.both.at(a.pair, now).trusted = true
	l.both.at(a.pair, now).failed = 0
	l.both.at(a.pair, now).until = time.Time{}
	if !a.known {
		l.names.at(a.name, now).failed = 0
		l.names.at(a.name, now).until = time.Time{}
	}
}

// abandoned takes back what an attempt has counted that was never looked at.
func (l *limiter) abandoned(a attempt, now time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.undo(a, now)
	e := l.names.at(a.name, now)
	if a.known {
		e = l.both.at(a.pair, now)
	}
	e.failed, e.until = max(0, e.failed-1), time.Time{}
}

// visit counts a request of an address as a failure until it is done.
func (l *limiter) visit(from string, now time.Time) (done func(), wait time.Duration) {
	a := attempt{address: keyOf(network(from))}
	l.mu.Lock()
	defer l.mu.Unlock()
	if wait := l.addresses.waits(a.address, now); wait > 0 {
		return nil, wait
	}
	l.addresses.count(a.address, now)
	return func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.undo(a, now)
	}, 0
}

func (l *limiter) undo(a attempt, now time.Time) {
	e := l.addresses.at(a.address, now)
	e.failed, e.until = max(0, e.failed-1), time.Time{}
}

// network is what counts as one address: of IPv6 everybody has at least a /64, and
// this machine has two.
func network(from string) string {
	ip, err := netip.ParseAddr(from)
	if err != nil {
		return from
	}
	if ip.Unmap().IsLoopback() {
		return "loopback"
	}
	bits := 32
	if ip = ip.Unmap().WithZone(""); ip.Is6() {
		bits = 64
	}
	return netip.PrefixFrom(ip, bits).Masked().String()
}
