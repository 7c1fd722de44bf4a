package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"usher/cmd/usher/desk"
	"usher/cmd/usher/metrics"
	"usher/cmd/usher/status"
	"usher/envoy"
	"usher/model"
	"usher/xds"
)

// The rules of a reload: new before old, all or nothing, and immortal.

// file takes a save: all of it, or nothing. It returns an error only when
// nothing is served and nothing can be.
func (l *loop) file(ctx context.Context, c model.Change) error {
	started := time.Now()
	problems := l.take(ctx, c, started)
	if len(problems) > 0 {
		l.reject(problems)
		l.refresh(ctx, started)
		return l.stand(ctx)
	}
	l.saved = started
	return nil
}

func (l *loop) take(ctx context.Context, c model.Change, now time.Time) model.Problems {
	if c.Err != nil {
		return asProblems(l.config, c.Err)
	}
	l.read = desk.Hash(c.Data)
	next, problems := load(l.config, c.Data, l.store, now)
	l.noter.tell(desk.Seen{Text: c.Data, Cluster: next.cluster, Problems: problems})
	l.written = next.cluster
	l.follow()
	if len(problems) > 0 {
		return problems
	}
	return asProblems(l.config, l.adopt(ctx, next, status.FromFile))
}

// follow watches the files that the cluster file names as it is now, those of
// what is served, and the local CA.
func (l *loop) follow() {
	all := l.store.AuthorityFiles()
	for _, c := range []*model.Cluster{l.written, l.now.cluster} {
		if c == nil {
			continue
		}
		for _, f := range c.Files() {
			all = append(all, f.Path)
		}
	}
	slices.Sort(all)
	l.watcher.Follow(slices.Compact(all))
}

// reject says why the file as it is now is not served, and changes nothing.
func (l *loop) reject(problems model.Problems) {
	l.problems = problems
	l.counts.Reload(metrics.Faulty)
	l.say("cluster.yaml is not served; what runs stays as it is", problems)
}

// say puts faults below a line of the log as a person reads them, one by one, or
// into it for programs.
func (l *loop) say(what string, problems model.Problems) {
	if l.aside == nil {
		l.log.Error(what, "faults", len(problems), "problems", []model.Problem(problems)) // an error would be written as one text
		return
	}
	l.log.Error(what, "faults", len(problems))
	_, _ = fmt.Fprintln(l.aside, problems.Error()) // as a line of the log that can't be written
}

// refresh serves the certificates of what is served as they are now, while the
// file as it is now is faulty: their files may be what has changed.
func (l *loop) refresh(ctx context.Context, now time.Time) {
	if !l.serving() {
		return
	}
	next, problems := load(l.config, l.now.data, l.store, now)
	if len(problems) > 0 || next.sameMaterial(l.now.loaded) {
		return
	}
	faults, refusal := l.problems, l.refusal
	if err := l.adopt(ctx, next, l.now.source); err != nil {
		l.log.Error("what is served could not take its new certificates", "error", err)
	}
	l.problems, l.refusal = faults, refusal
}

// stand sees to it that something is served: at a start with a faulty file,
// what was last accepted.
func (l *loop) stand(ctx context.Context) error {
	if l.serving() {
		return nil
	}
	faults := l.problems
	data, err := os.ReadFile(l.places.accepted())
	if err != nil {
		return errSaid // there never was one
	}
	last, problems := load(l.config, data, l.store, time.Now())
	if len(problems) == 0 {
		problems = asProblems(l.config, l.adopt(ctx, last, status.FromAccepted))
	}
	if len(problems) > 0 {
		l.say("what was last accepted can't be served either", problems)
		return errSaid
	}
	l.kept, l.problems = data, faults
	l.log.Warn("the last accepted file is served until cluster.yaml is good")
	return nil
}

// adopt publishes a loaded file, after the real Envoy has said that it would
// take it. Changes of nodes and keys alone need no such question.
func (l *loop) adopt(ctx context.Context, next loaded, source string) error {
	answers := l.lookUp(ctx, next)
	next.open = l.keeper.open
	p := publication{loaded: next, source: source, answers: answers, past: l.now.past}
	p.wishes, p.drifts = l.now.still(p), those(l.now.drifts, p.beginnings)
	p.translate()
	if err := l.ask(ctx, p.resources); err != nil {
		return refusedAt(next.cluster, err)
	}
	l.problems, l.refusal = nil, nil
	l.warn(p)
	l.publish(p)
	l.review(l.now.at)
	l.follow()
	return nil
}

// ask puts resources to the real Envoy: all of them at a start, and then what has
// changed since, for it takes 3 s to read 500 pools of 20 nodes.
func (l *loop) ask(ctx context.Context, r xds.Resources) error {
	switch {
	case l.envoy == nil:
		return nil
	case !l.serving():
		return envoy.Validate(ctx, *l.envoy, r.Static())
	case !xds.Structural(l.now.resources, r):
		return nil
	}
	return envoy.Validate(ctx, *l.envoy, r.Since(l.now.resources).Static())
}

// lookUp says where the nodes' names point, as far as that is known in good
// time.
func (l *loop) lookUp(ctx context.Context, next loaded) map[model.Address]answer {
	ctx, cancel := context.WithTimeout(ctx, saveWaits)
	defer cancel()
	return l.resolver.resolve(ctx, next.addresses())
}

// warn logs what works and should not stay: all of it at a start, then what is
// new.
func (l *loop) warn(next publication) {
	known := map[string]bool{}
	for _, w := range l.now.said {
		known[w] = true
	}
	for _, w := range next.said {
		if !known[w] {
			l.log.Warn(w)
		}
	}
}

// refusedAt finds the place of what Envoy can't open: it names the file.
func refusedAt(c *model.Cluster, err error) error {
	var refused *envoy.Refusal
	if !errors.As(err, &refused) {
		return err
	}
	for i, v := range c.Listeners {
		if v.AccessLog != nil && v.AccessLog.File != model.Stdout && strings.Contains(refused.Words, "'"+v.AccessLog.File+"'") {
			return model.Problems{c.Problem(fmt.Sprintf("listeners[%d].access_log", i), "Envoy refuses it: "+refused.Words, "make the folder, and let the user that Envoy runs as write to it")}
		}
	}
	return err
}

// asProblems gives an error a place among the problems of the file.
func asProblems(file string, err error) model.Problems {
	var refused *envoy.Refusal
	var placed model.Problems
	switch {
	case errors.As(err, &placed):
		return placed
	case err == nil:
		return nil
	case errors.As(err, &refused):
		return model.Problems{{File: file, What: "Envoy refuses it: " + refused.Words}}
	}
	return model.Problems{{File: file, What: err.Error()}}
}
