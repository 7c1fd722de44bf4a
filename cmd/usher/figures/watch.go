package figures

import (
	"context"
	"slices"
	"sync/atomic"
	"time"

	"usher/cmd/usher/status"
)

// How often Envoy is asked. With three pools of seven nodes, idle, in percent of a
// core: usher takes 0.6 without questions and with one every five seconds, and 0.7
// with one a second; Envoy, whose checks are most of it, 1.5, 1.5 and 1.6.
const (
	watched   = time.Second     // while somebody looks
	unwatched = 5 * time.Second // while nobody has for a while
	attention = time.Minute     // that while
	// duty bounds what asking costs where there is much to tell: the pause is this
	// many times as long as the answer took. That of 10,000 busy nodes is 25 MiB,
	// which takes usher a second to read: it is had about once a minute. What is kept
	// of it are 22 MiB, and the past besides (pastLimit).
	duty = 50
	// idleDuty is the same while nobody looks: usher shall take less than 1 % of a
	// core then, all in all.
	idleDuty = 200
	// many hosts are so much to tell that a scrape is given what was found last, as
	// long as the pause lasts.
	many = 1000
)

// Watch asks Envoys. Its methods but Run may be called from any goroutine.
type Watch struct {
	sources func() []Source
	now     func() *status.Status
	asks    chan ask

	latest atomic.Pointer[Now]
	silent atomic.Pointer[[]string]
	hour   atomic.Pointer[[]Sample]
	looked atomic.Int64 // when somebody did, in Unix ns

	// Run's own:
	begun  bool // there was an answer before
	hosts  int  // in the last one
	ledger *ledger
	past   past
	recent window
	seen   map[NodeOf]time.Time
}

// ask is a wish for figures of this moment.
type ask struct{ done chan answer }

type answer struct {
	now    *Now
	totals Totals
}

// New makes a Watch over the Envoys that there are at each moment, of a file that
// the status tells.
func New(sources func() []Source, now func() *status.Status) *Watch {
	w := &Watch{sources: sources, now: now, asks: make(chan ask), ledger: newLedger(), seen: map[NodeOf]time.Time{}}
	w.hour.Store(&[]Sample{})
	return w
}

// Latest is what was found last; nil before the first answer, and when no Envoy
// answers. Who asks is taken for somebody that looks.
func (w *Watch) Latest() *Now {
	if w == nil {
		return nil
	}
	w.looked.Store(time.Now().UnixNano())
	return w.latest.Load()
}

// Silent are the Envoys elsewhere that did not show their figures when they were
// last asked, and why.
func (w *Watch) Silent() []string {
	if w == nil || w.silent.Load() == nil {
		return nil
	}
	return *w.silent.Load()
}

// Hour is the last hour, the oldest first. Who asks is taken for somebody that
// looks.
func (w *Watch) Hour() []Sample {
	w.looked.Store(time.Now().UnixNano())
	return *w.hour.Load()
}

// Ask asks Envoy at once, for whoever keeps figures himself: it does not count as a
// look. Without an answer there is no Now, and the totals are those of before.
func (w *Watch) Ask(ctx context.Context) (*Now, Totals, error) {
	a := ask{make(chan answer, 1)}
	select {
	case w.asks <- a:
	case <-ctx.Done():
		return nil, Totals{}, ctx.Err()
	}
	select {
	case got := <-a.done:
		return got.now, got.totals, nil
	case <-ctx.Done():
		return nil, Totals{}, ctx.Err()
	}
}

// Run asks until ctx ends.
func (w *Watch) Run(ctx context.Context) {
	next := time.NewTimer(0)
	defer next.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case a := <-w.asks:
			if w.due(time.Now()) {
				w.ask(ctx)
			}
			a.done <- answer{w.latest.Load(), w.ledger.clone()}
		case <-next.C:
			began := time.Now()
			w.ask(ctx)
			next.Reset(w.pause(time.Now(), time.Since(began)))
		}
	}
}

// due tells whether Envoy may be asked out of turn.
func (w *Watch) due(now time.Time) bool {
	last := w.latest.Load()
	return last == nil || w.hosts < many || now.Sub(last.Time) >= last.Every
}

// pause is how long to wait after an answer.
func (w *Watch) pause(now time.Time, took time.Duration) time.Duration {
	every, duty := watched, time.Duration(duty)
	if w.latest.Load() != nil && now.Sub(time.Unix(0, w.looked.Load())) > attention { // an Envoy that has just been started is awaited
		every, duty = unwatched, idleDuty
	}
	return max(every, duty*took)
}

// ask takes one answer in.
func (w *Watch) ask(ctx context.Context) {
	began := time.Now()
	l := layoutOf(w.now())
	sources := w.sources()
	all, silent := readAll(ctx, sources, l, began)
	w.silent.Store(&silent)
	w.ledger.leave(func(name string) bool {
		return slices.ContainsFunc(sources, func(s Source) bool { return s.Name == name })
	})
	if len(all) == 0 {
		w.latest.Store(nil) // there is none, or it is starting: what was no longer is
		return
	}
	r := together(all, began)
	first := !w.begun
	w.begun = true
	came := w.ledger.note(all)
	w.ledger.forget(l.has())
	if first {
		came = news{} // since when is not known
	}
	w.recent.add(came, r.at)
	now := w.compose(l, r)
	w.hosts = len(r.hosts) * len(all)
	now.Envoys = len(all)
	now.Every = w.pause(r.at, time.Since(began))
	w.latest.Store(now)
	if w.past.add(came, now) {
		hour := w.past.samples()
		w.hour.Store(&hour)
	}
}
