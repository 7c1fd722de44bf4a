package main

import (
	"context"
	"io"
	"log/slog"
	"sync/atomic"
	"time"

	"usher/cmd/usher/desk"
	"usher/cmd/usher/figures"
	"usher/cmd/usher/metrics"
	"usher/cmd/usher/status"
	"usher/envoy"
	"usher/model"
	"usher/xds"
	"usher/xds/pki"
)

// loop decides what is published. One goroutine runs it and owns everything
// that is not handed in; others read the status.
type loop struct {
	places
	log       *slog.Logger
	aside     io.Writer // where faults are said to a person; nil where the log says them
	manager   manager
	store     pki.Store
	envoy     *envoy.Binary // validates; nil where there is none
	server    *xds.Server
	watcher   *model.Watcher
	resolver  *resolver
	asker     *asker
	sessions  *asker // whose sessions they begin
	keeper    *keeper
	desk      *desk.Desk
	noter     *noter
	internal  *pki.Internal // of the xDS port, where that demands mutual TLS
	elsewhere *elsewhere    // what Envoys elsewhere need; nil for run
	face      *face         // the certificate of a console that others reach
	started   time.Time
	first     chan struct{}    // closed when something is served
	pokes     chan struct{}    // an Envoy came, went, accepted or refused
	events    chan envoy.Event // of the supervised Envoy

	now      publication              // what is published
	accepted *publication             // what the Envoys last accepted
	written  *model.Cluster           // the file as it is now, as far as it could be read
	read     string                   // the hash of the file as it was last read
	problems model.Problems           // why the file as it is now is not served
	refusal  *xds.Refusal             // Envoy's part in that
	saved    time.Time                // when a save was read that nobody has accepted yet
	kept     []byte                   // the accepted file on disk
	keepDue  time.Time                // when to try again to keep it and the addresses
	leaveDue time.Time                // when to renew what Envoys elsewhere need
	again    time.Time                // when the server wants to be called
	drains   map[xds.NodeOf]time.Time // since when nodes with TCP connections drain
	closeDue time.Time                // when the next of them has to end
	process  processStatus
	counts   *metrics.Own
	figures  *figures.Watch // what Envoys count; nil where none is asked

	status atomic.Pointer[status.Status]
	live   atomic.Pointer[publication] // what is published, for those who explain it
}

// publication is one state of what is published.
type publication struct {
	loaded
	source    string // status.FromFile or status.FromAccepted; empty when nothing is published
	answers   map[model.Address]answer
	wishes    map[xds.NodeOf]wish
	drifts    map[xds.NodeOf]wish // whose sessions do not end in their names
	closing   map[xds.NodeOf]bool // whose TCP connections have to end
	resources xds.Resources
	past      *xds.Past // of the resources
	pools     []status.Pool
	said      []string // warnings
	at        time.Time
}

func newLoop(p places, store pki.Store, binary *envoy.Binary) *loop {
	l := &loop{
		places:   p,
		log:      slog.New(slog.DiscardHandler),
		store:    store,
		envoy:    binary,
		watcher:  model.NewWatcher(p.config),
		resolver: newResolver(),
		asker:    newAsker(healthsAtATime),
		sessions: newAsker(sessionsAtATime),
		started:  time.Now(),
		first:    make(chan struct{}),
		pokes:    make(chan struct{}, 1),
		events:   make(chan envoy.Event, 16),
		counts:   metrics.NewOwn(),
	}
	l.resolver.last = readAddresses(p.lastAddresses())
	l.server = xds.NewServer(l.poke)
	l.keeper = newKeeper(l.store)
	l.noter = newNoter(p, l.log)
	l.desk = desk.New(p.config, p.state, checker(p.config, p, l.binary()))
	return l
}

// run applies whatever happens, one thing at a time, until ctx ends. It returns
// an error only when there is nothing to serve at all.
func (l *loop) run(ctx context.Context) error {
	defer l.keeper.stop()
	for {
		l.judge(time.Now())
		l.obtain(ctx, time.Now())
		l.dress(time.Now())
		l.publishStatus(time.Now())
		l.manager.tell(l.report(), time.Now())
		timer := time.NewTimer(l.manager.rest(l.rest(time.Now())))
		var err error
		select {
		case <-ctx.Done():
			timer.Stop()
			l.bye(ctx)
			return nil
		case change := <-l.watcher.Changes():
			err = l.file(ctx, change)
		case <-l.pokes:
		case answers := <-l.resolver.news:
			l.moved(answers)
		case wishes := <-l.asker.news:
			l.heard(wishes)
		case drifts := <-l.sessions.news:
			l.drifted(drifts)
		case a := <-l.keeper.asks:
			l.show(a, time.Now())
		case o := <-l.keeper.done:
			l.end(o, time.Now())
		case event := <-l.events:
			l.process.note(event, l.envoy)
		case <-timer.C:
			l.renew(time.Now())
			l.hangUp(time.Now())
		}
		timer.Stop()
		if err != nil {
			return err
		}
	}
}

// longestRest is the most that the loop sleeps: timers stand still while a
// machine sleeps, and what fell due meanwhile is seen this soon after.
const longestRest = time.Minute

// rest is how long the loop may sleep.
func (l *loop) rest(now time.Time) time.Duration {
	next := earlier(earlier(l.again, l.now.due), earlier(l.leaveDue, l.keepDue))
	next = earlier(earlier(next, l.asksAt()), l.closeDue)
	if next.IsZero() {
		return longestRest
	}
	return min(max(0, next.Sub(now)), longestRest)
}

// poke wakes the loop without waiting for it.
func (l *loop) poke() {
	select {
	case l.pokes <- struct{}{}:
	default:
	}
}

func (l *loop) serving() bool { return l.now.source != "" }

// settled tells whether the Envoys have taken what is published. Of its own
// Envoy usher waits to hear so; where there may be none, silence is enough.
func (l *loop) settled() bool { return l.server.Settled(l.elsewhere == nil) }
