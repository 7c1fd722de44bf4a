package main

import (
	"context"
	"maps"
	"net"
	"net/netip"
	"sync"
	"time"

	"usher/model"
)

const (
	resolveEvery = 3 * time.Second
	saveWaits    = time.Second            // for names: what takes longer comes with a later round
	gatherFor    = 100 * time.Millisecond // answers that come this close together are one piece of news
	namesAtOnce  = 128
)

// resolver keeps the nodes' names resolved. One node is one address, whatever
// its name resolves to: IPv4 first, or the first that accepts a connection.
type resolver struct {
	news   chan map[model.Address]answer // the latest answers, when they changed
	lookup func(ctx context.Context, network, host string) ([]netip.Addr, error)
	// last is where names pointed when that was accepted last, in an earlier run
	// perhaps. It belongs to the caller of resolve.
	last map[model.Address]netip.Addr

	changed chan struct{} // an answer did
	slots   chan struct{} // of the rounds: a save does not queue behind them

	mu      sync.Mutex
	answers map[model.Address]answer // of the names that are watched
	asked   map[model.Address]bool   // those whose look-up is under way
}

func newResolver() *resolver {
	return &resolver{
		news:    make(chan map[model.Address]answer, 1),
		lookup:  net.DefaultResolver.LookupNetIP,
		changed: make(chan struct{}, 1),
		slots:   make(chan struct{}, namesAtOnce),
		asked:   map[model.Address]bool{},
	}
}

// resolve says what is known of the names among the addresses, and looks up
// those that are new, until ctx ends. What it finds is not watched yet.
func (r *resolver) resolve(ctx context.Context, addresses []model.Address) map[model.Address]answer {
	keep, ask := r.known(addresses)
	var mu sync.Mutex
	var all sync.WaitGroup
	slots := make(chan struct{}, namesAtOnce)
	for a, was := range ask {
		all.Go(func() {
			slots <- struct{}{}
			now := r.one(ctx, a, was)
			<-slots
			mu.Lock()
			keep[a] = now
			mu.Unlock()
		})
	}
	all.Wait()
	return keep
}

// known parts the names that are watched from those to be asked for.
func (r *resolver) known(addresses []model.Address) (keep, ask map[model.Address]answer) {
	r.mu.Lock()
	defer r.mu.Unlock()
	keep, ask = map[model.Address]answer{}, map[model.Address]answer{}
	for _, a := range addresses {
		if known, ok := r.answers[a]; ok {
			keep[a] = known
		} else if !a.IP().IsValid() {
			ask[a] = answer{ip: r.last[a]} // which stays if there is no answer
		}
	}
	return keep, ask
}

// watch follows these names from now on, and no others.
func (r *resolver) watch(answers map[model.Address]answer) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.answers = maps.Clone(answers)
}

// run asks for every name again each few seconds and reports changes until ctx
// ends. A name that is slow to answer holds up no other.
func (r *resolver) run(ctx context.Context) {
	var all sync.WaitGroup
	defer all.Wait()
	tick := time.NewTicker(resolveEvery)
	defer tick.Stop()
	var gathered <-chan time.Time
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			for a, was := range r.due() {
				all.Go(func() { r.again(ctx, a, was) })
			}
		case <-r.changed:
			if gathered == nil {
				gathered = time.After(gatherFor)
			}
		case <-gathered:
			gathered = nil
			r.report()
		}
	}
}

// due are the watched names but for those whose look-up is still under way.
func (r *resolver) due() map[model.Address]answer {
	r.mu.Lock()
	defer r.mu.Unlock()
	due := map[model.Address]answer{}
	for a, was := range r.answers {
		if !r.asked[a] {
			r.asked[a], due[a] = true, was
		}
	}
	return due
}

func (r *resolver) again(ctx context.Context, a model.Address, was answer) {
	r.slots <- struct{}{}
	now := r.one(ctx, a, was)
	<-r.slots
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.asked, a)
	was, watched := r.answers[a] // it may have changed since
	if !watched || ctx.Err() != nil {
		return // an unfinished look-up is no news
	}
	if now.fault != nil {
		now = was.failed(now.fault)
	}
	r.answers[a] = now
	if !now.same(was) {
		select {
		case r.changed <- struct{}{}:
		default:
		}
	}
}

// report leaves the latest answers for the loop without waiting for it.
func (r *resolver) report() {
	r.mu.Lock()
	latest := maps.Clone(r.answers)
	r.mu.Unlock()
	select {
	case <-r.news:
	default:
	}
	r.news <- latest // nobody else sends
}
