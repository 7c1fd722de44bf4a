package main

import (
	"context"
	"math/rand/v2"
	"sync"
	"time"

	"usher/xds/pki"
	"usher/xds/pki/acme"
)

const (
	// spread is given to Envoy after it has accepted a challenge: its workers
	// take it over one by one, and say nothing when they have.
	spread = 500 * time.Millisecond
	// showLimit bounds the wait for Envoys that don't answer.
	showLimit = 15 * time.Second
)

// keeper obtains certificates from ACME directories, one at a time: nobody
// needs them sooner, and two questions for one host would be in each other's
// way. The loop owns it; only the goroutine of an attempt runs beside.
type keeper struct {
	client acme.Client
	kept   map[string]acme.Kept // by certificate
	busy   *acme.Request        // being obtained
	cancel context.CancelFunc
	open   []acme.Challenge // the questions of that attempt
	wait   *wait
	asks   chan ask
	done   chan obtained
	ended  sync.WaitGroup
}

// ask is an attempt that wants its challenges to be shown.
type ask struct {
	open  []acme.Challenge
	shown chan struct{} // closed when they are
}

// wait is an ask that has been published.
type wait struct {
	shown chan struct{}
	at    time.Time // when every Envoy surely shows it; zero until all have accepted
	limit time.Time
}

// obtained is how an attempt ended.
type obtained struct {
	request acme.Request
	pair    pki.Pair
	err     error
}

func newKeeper(store pki.Store) *keeper {
	return &keeper{client: directoryClient(store), asks: make(chan ask), done: make(chan obtained, 1)}
}

func (w *wait) look(settled bool, now time.Time) {
	if settled && w.at.IsZero() {
		w.at = now.Add(spread)
	}
	if !w.at.IsZero() && !now.Before(w.at) || !now.Before(w.limit) {
		close(w.shown)
		w.shown = nil
	}
}

func (k *keeper) begin(ctx context.Context, r acme.Request) {
	ctx, k.cancel = context.WithCancel(ctx)
	k.busy = &r
	k.ended.Go(func() {
		pair, err := k.client.Obtain(ctx, r, time.Now, rand.Float64(), k.present) //nolint:gosec // spreads load, keeps no secret
		k.done <- obtained{r, pair, err}
	})
}

// postpone remembers a failure that could not be noted, on a full disk: nobody
// is asked then, but the loop must rest.
func (k *keeper) postpone(o obtained, now time.Time) {
	kept := k.kept[o.request.Name]
	if kept.Next.After(now) {
		return
	}
	kept.Failures, kept.Why, kept.Next = kept.Failures+1, o.err.Error(), now.Add(acme.Backoff(1, 0))
	k.kept[o.request.Name] = kept
}

// present hands challenges to the loop and waits until they are shown.
func (k *keeper) present(ctx context.Context, open []acme.Challenge) error {
	a := ask{open, make(chan struct{})}
	select {
	case k.asks <- a:
	case <-ctx.Done():
		return ctx.Err()
	}
	select {
	case <-a.shown:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// stop ends an attempt and waits until it has noted that.
func (k *keeper) stop() {
	if k.cancel != nil {
		k.cancel()
	}
	k.ended.Wait()
}
