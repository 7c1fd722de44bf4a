package main

import (
	"context"
	"fmt"
	"maps"
	"time"

	"usher/model"
	"usher/xds/pki/acme"
)

// The loop's part in obtaining certificates: when, for what, and what becomes
// of the answer.

// review looks at what there is for the published file. An attempt that no
// longer fits it ends.
func (l *loop) review(now time.Time) {
	k := l.keeper
	k.kept = map[string]acme.Kept{}
	fits := false
	for _, c := range l.now.cluster.Certificates {
		if c.ACME != nil {
			r := l.now.order(c)
			k.kept[c.Name] = k.client.Kept(r, now)
			fits = fits || k.busy != nil && k.busy.Same(r)
		}
	}
	if k.busy != nil && !fits {
		k.cancel()
	}
}

// obtain goes on with what is under way, or begins what is due, once the
// Envoys have what is published.
func (l *loop) obtain(ctx context.Context, now time.Time) {
	k := l.keeper
	if k.wait != nil {
		k.wait.look(l.server.Settled(true), now)
		if k.wait.shown == nil {
			k.wait = nil
		}
	}
	if !l.mayAsk() {
		return
	}
	for _, c := range l.now.cluster.Certificates {
		if kept, ok := k.kept[c.Name]; ok && !kept.Next.After(now) {
			l.log.Info("a certificate is asked for", "certificate", c.Name, "directory", c.ACME.Directory, "challenge", c.ACME.Challenge)
			k.begin(ctx, l.now.order(c))
			return
		}
	}
}

// mayAsk tells whether a directory would find its answer: no attempt is under
// way, and the Envoys have what is published.
func (l *loop) mayAsk() bool {
	return l.keeper.busy == nil && l.serving() && l.refusal == nil && l.server.Settled(true)
}

// show publishes the challenges of the attempt.
func (l *loop) show(a ask, now time.Time) {
	l.keeper.wait = &wait{shown: a.shown, limit: now.Add(showLimit)}
	l.pose(a.open)
}

// pose publishes what is published with these challenges.
func (l *loop) pose(open []acme.Challenge) {
	l.keeper.open = open
	p := l.now
	p.open = open
	p.translate()
	l.publish(p)
}

// catchUp brings what was accepted a while ago to the certificates and the
// challenges of now.
func (l *loop) catchUp(p *publication, now time.Time) {
	p.pairs = maps.Clone(p.pairs)
	for _, c := range p.cluster.Certificates {
		p.obtained(c, l.store, now)
	}
	p.open = l.keeper.open
	p.translate()
}

// end takes an attempt's challenges away and its certificate into use.
func (l *loop) end(o obtained, now time.Time) {
	k := l.keeper
	k.cancel()
	k.busy, k.wait = nil, nil
	wanted := l.wanted(o.request)
	if wanted && o.pair.Leaf != nil {
		l.now.pairs = maps.Clone(l.now.pairs)
		l.now.pairs[o.request.Name] = o.pair
	}
	l.pose(nil)
	l.review(now)
	if wanted && o.pair.Leaf == nil {
		k.postpone(o, now)
	}
	next := k.kept[o.request.Name].Next
	switch {
	case !wanted:
	case o.pair.Leaf == nil:
		l.log.Error("a certificate could not be obtained; the last one serves on", "certificate", o.request.Name, "error", o.err, "again", next)
	case o.err != nil:
		l.log.Error("a certificate serves, but could not be kept", "certificate", o.request.Name, "error", o.err)
	default:
		l.log.Info("a certificate was obtained", "certificate", o.request.Name, "issuer", o.pair.Leaf.Issuer.CommonName, "expires", o.pair.Leaf.NotAfter, "next", next)
	}
}

// wanted tells whether the published file asks for just this.
func (l *loop) wanted(r acme.Request) bool {
	for _, c := range l.now.cluster.Certificates {
		if c.ACME != nil && l.now.order(c).Same(r) {
			return true
		}
	}
	return false
}

// asksAt is when the keeper wants to be called; the zero time is never. While
// an Envoy lacks something it is woken by that Envoy.
func (l *loop) asksAt() (at time.Time) {
	if w := l.keeper.wait; w != nil {
		return earlier(w.at, w.limit)
	}
	if !l.mayAsk() {
		return time.Time{}
	}
	for _, kept := range l.keeper.kept {
		at = earlier(at, kept.Next)
	}
	return at
}

// refused are the certificates that could not be obtained, each a problem of
// the file at its place.
func (l *loop) refused() (problems model.Problems) {
	for i, c := range l.now.cluster.Certificates {
		kept, ok := l.keeper.kept[c.Name]
		if !ok || kept.Failures == 0 {
			continue
		}
		problems = append(problems, l.now.cluster.Problem(fmt.Sprintf("certificates[%d].acme", i), "no certificate could be obtained: "+kept.Why,
			"the last one serves on; the next try is at "+kept.Next.Local().Format(time.RFC3339)+", or when this entry is changed"))
	}
	return problems
}
