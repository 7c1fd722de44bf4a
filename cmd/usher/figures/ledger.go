package figures

import (
	"maps"
	"slices"

	"usher/xds"
)

// What is counted.
type What int

// The counters.
const (
	Requests        What = iota // by pool, node and outcome
	Moved                       // by pool, the node that served and the one that was asked for
	Conflicts                   // by pool
	Failures                    // by pool and node
	Attempts                    // by pool and node
	Connected                   // by pool and node
	ConnectFailures             // by pool and node
	Retries                     // by pool
	Timeouts                    // by pool
	Overflows                   // by pool
	Leaks                       // by node and header; of no pool
	Accepted                    // connections of clients, by listener
	Asked                       // requests of clients, by listener
	Answered                    // answers to clients, by listener and class
	Handshakes                  // by address of the listener
	HandshakeErrors             // by address of the listener
)

// Series names a counter in the words of the file. Where it is of a listener, Pool
// is that or its address.
type Series struct {
	What             What
	Pool, Node, More string
}

// series is a counter as Envoy has it: several may add up to one of the file.
type series struct {
	Series
	of string
}

// Timing is a histogram of the time that requests took.
type Timing struct {
	Bounds []float64 // ms, without infinity
	Counts []float64 // of requests up to the bound and not to the one before; the last has none
	Sum    float64   // ms
}

func (t *Timing) add(more Timing) {
	if len(t.Bounds) != len(more.Bounds) { // an Envoy with other buckets: what was is no longer comparable
		t.Bounds, t.Counts, t.Sum = more.Bounds, make([]float64, len(more.Counts)), 0
	}
	for i, n := range more.Counts {
		t.Counts[i] += n
	}
	t.Sum += more.Sum
}

// minus is what has come since; false where it can't follow from the earlier one.
func (t Timing) minus(earlier Timing) (Timing, bool) {
	if len(earlier.Bounds) != len(t.Bounds) {
		return t, false
	}
	since := Timing{t.Bounds, make([]float64, len(t.Counts)), t.Sum - earlier.Sum}
	for i, n := range t.Counts {
		if since.Counts[i] = n - earlier.Counts[i]; since.Counts[i] < 0 {
			return t, false
		}
	}
	return since, true
}

// NodeOf names a node of a pool.
type NodeOf struct{ Pool, Node string }

// Totals are counters that go on when Envoy is started anew.
type Totals struct {
	Counts  map[Series]float64
	Timings map[NodeOf]*Timing
}

// ledger adds up what has come since the last readings. So a counter that begins
// anew, with its Envoy or its cluster, goes on where it was, and one that goes is
// forgotten without a loss.
type ledger struct {
	meters map[string]*meter // by Envoy
	Totals
}

// meter is what an Envoy's counters were when they were last read.
type meter struct {
	counts  map[series]float64
	timings map[hostKey]*Timing
	uptime  float64
}

// news is what has come between two readings.
type news struct {
	counts  map[Series]float64
	timings map[NodeOf]*Timing
}

func newLedger() *ledger {
	return &ledger{meters: map[string]*meter{}, Totals: Totals{Counts: map[Series]float64{}, Timings: map[NodeOf]*Timing{}}}
}

// note takes readings in and says what has come with them. Of an Envoy that was not
// read before nobody knows since when it counts: it adds to the totals, and is no
// news.
func (l *ledger) note(all map[string]*reading) news {
	n := news{map[Series]float64{}, map[NodeOf]*Timing{}}
	for name, r := range all {
		m, known := l.meters[name]
		if !known {
			m = &meter{}
			l.meters[name] = m
			l.take(m, r, news{map[Series]float64{}, map[NodeOf]*Timing{}})
			continue
		}
		l.take(m, r, n)
	}
	return n
}

func (l *ledger) take(m *meter, r *reading, n news) {
	if r.uptime < m.uptime {
		m.counts, m.timings = nil, nil // another Envoy
	}
	for s, now := range r.counts {
		since := now - m.counts[s]
		if since < 0 {
			since = now
		}
		if _, known := l.Counts[s.Series]; since > 0 || !known {
			l.Counts[s.Series] += since
			n.counts[s.Series] += since
		}
	}
	for k, now := range r.timings {
		since := *now
		if was, ok := m.timings[k]; ok {
			since, _ = now.minus(*was)
		}
		at := NodeOf{xds.PoolOf(k.cluster), k.address}
		grow(l.Timings, at, since)
		grow(n.timings, at, since)
	}
	m.counts, m.timings, m.uptime = r.counts, r.timings, r.uptime
}

// leave forgets the meters of Envoys that are gone.
func (l *ledger) leave(stays func(name string) bool) {
	maps.DeleteFunc(l.meters, func(name string, _ *meter) bool { return !stays(name) })
}

func grow(all map[NodeOf]*Timing, at NodeOf, by Timing) {
	if all[at] == nil {
		all[at] = &Timing{}
	}
	all[at].add(by)
}

// forget drops what neither an Envoy nor the file has any more. Listeners are few, and
// stay.
func (l *ledger) forget(has func(pool, node string) bool) {
	live := map[Series]bool{}
	for _, m := range l.meters {
		for s := range m.counts {
			live[s.Series] = true
		}
	}
	for s := range l.Counts {
		if s.What < Accepted && !live[s] && s.Pool != "" && !has(s.Pool, s.Node) {
			delete(l.Counts, s)
		}
	}
	for at := range l.Timings {
		if !has(at.Pool, at.Node) {
			delete(l.Timings, at)
		}
	}
}

// clone are the totals as they stay.
func (t Totals) clone() Totals {
	c := Totals{maps.Clone(t.Counts), make(map[NodeOf]*Timing, len(t.Timings))}
	for at, was := range t.Timings {
		c.Timings[at] = &Timing{was.Bounds, slices.Clone(was.Counts), was.Sum}
	}
	return c
}
