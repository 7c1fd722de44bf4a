package main

import (
	"bytes"
	"context"
	"maps"
	"os"
	"time"

	"usher/cmd/usher/metrics"
	"usher/cmd/usher/status"
	"usher/model"
	"usher/xds"
)

func (l *loop) publish(p publication) {
	first := !l.serving()
	p.at = time.Now()
	closing, next := l.endings(p, p.at)
	l.closeDue = next
	if !maps.Equal(closing, p.closing) {
		p.closing = closing
		p.translate()
	}
	l.server.Publish(p.resources, p.at)
	l.now = p
	l.live.Store(&p)
	l.resolver.watch(p.answers)
	l.asker.follow(p.questions())
	l.sessions.follow(p.beginnings())
	if first {
		close(l.first)
	}
}

// moved follows names that point elsewhere now.
func (l *loop) moved(news map[model.Address]answer) {
	answers := maps.Clone(l.now.answers)
	for a, was := range answers {
		now, ok := news[a]
		if !ok {
			continue // the news are of an earlier file
		}
		answers[a] = now
		switch {
		case was.ip != now.ip:
			l.log.Info("a node's name points elsewhere", "address", a, "was", was.ip, "now", now.ip)
		case now.fault != nil && was.fault == nil:
			l.log.Warn("a node's name no longer resolves; the last address stays", "address", a, "error", now.fault)
		}
	}
	if l.serving() {
		p := l.now
		p.answers = answers
		p.translate()
		l.publish(p)
	}
}

// renew replaces certificates that are due.
func (l *loop) renew(now time.Time) {
	l.leave(now)
	if !now.Before(l.keepDue) {
		l.keepDue = time.Time{} // accept tries again, as soon as there is something to accept
	}
	p := l.now
	if p.due.IsZero() || now.Before(p.due) {
		return
	}
	p.pairs, p.roots, p.clients = maps.Clone(p.pairs), maps.Clone(p.roots), maps.Clone(p.clients)
	if problems := p.issue(l.store, now); len(problems) > 0 {
		l.log.Error("a certificate could not be renewed; the old one is served as long as it lasts, and after it: " + problems.Error())
		l.now.due = now.Add(tryAgain)
		return
	}
	p.translate()
	l.warn(p)
	if !p.sameMaterial(l.now.loaded) {
		l.log.Info("certificates renewed", "next", p.due)
	}
	l.publish(p)
}

// leave writes what Envoys elsewhere need, at the start and when it is due.
func (l *loop) leave(now time.Time) {
	if l.elsewhere == nil || now.Before(l.leaveDue) {
		return
	}
	due, err := l.elsewhere.write(l.internal, now)
	if err != nil {
		l.log.Error("what Envoys elsewhere need could not be written", "folder", l.xdsFolder(), "error", err)
		due = now.Add(time.Minute)
	}
	l.leaveDue = due
}

// judge looks at what the Envoys say about what was published.
func (l *loop) judge(now time.Time) {
	l.again = l.server.Advance(now)
	if refusals := l.server.Refusals(); len(refusals) > 0 {
		l.place(refusals)
		l.takeBack(l.server.Refusals()[0])
		l.again = l.server.Advance(now)
		return
	}
	if l.serving() && l.settled() {
		l.accept(now)
	}
}

// takeBack serves again what was last accepted.
func (l *loop) takeBack(r xds.Refusal) {
	if l.refusal != nil && *l.refusal == r {
		return // said before, and nothing older to go back to
	}
	l.counts.Reload(metrics.Refused)
	l.refusal, l.saved = &r, time.Time{}
	l.problems = model.Problems{l.blame(r)}
	l.say("Envoy refused what cluster.yaml became", l.problems)
	last := l.lastAccepted(r.Time)
	if last == nil || last.at.Equal(l.now.at) {
		return
	}
	last.source = status.FromAccepted
	l.catchUp(last, r.Time)
	l.publish(*last)
	l.review(r.Time)
	l.accepted = new(l.now)
	l.log.Info("what was last accepted is served again")
}

// lastAccepted is what the Envoys accepted before, in this run or an earlier
// one.
func (l *loop) lastAccepted(now time.Time) *publication {
	if l.accepted != nil {
		return new(*l.accepted)
	}
	data, err := os.ReadFile(l.places.accepted())
	if err != nil || bytes.Equal(data, l.now.data) {
		return nil
	}
	last, problems := load(l.config, data, l.store, now)
	if len(problems) > 0 {
		return nil
	}
	p := publication{loaded: last, answers: l.lookUp(context.Background(), last), past: l.now.past}
	p.wishes, p.drifts = l.now.still(p), those(l.now.drifts, p.beginnings)
	p.translate()
	return &p
}
