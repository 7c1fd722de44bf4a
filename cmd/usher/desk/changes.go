package desk

import (
	"fmt"
	"slices"
	"strings"

	"usher/model"
)

// Changes are the differences of two cluster files in words: of listeners and their
// routes, pools and their nodes, and certificates.
func Changes(was, now *model.Cluster) []string {
	var w words
	matched(&w, "listener", was.Listeners, now.Listeners, func(l model.Listener) string { return l.Name }, listenerText, func(a, b model.Listener) {
		w.listener(a, b, was, now)
	})
	matched(&w, "pool", was.Pools, now.Pools, func(p model.Pool) string { return p.Name }, poolText, w.pool)
	matched(&w, "certificate", was.Certificates, now.Certificates, func(c model.Certificate) string { return c.Name }, certificateText, func(a, b model.Certificate) {
		w.fields("certificate "+a.Name+": ", a, b)
	})
	return w
}

// words are what has been said.
type words []string

func (w *words) say(format string, args ...any) { *w = append(*w, fmt.Sprintf(format, args...)) }

// matched says what came, what went and what changed among things that have names.
func matched[T any](w *words, kind string, was, now []T, name, text func(T) string, both func(a, b T)) {
	places := func(all []T) map[string]int {
		at := make(map[string]int, len(all))
		for i, t := range slices.Backward(all) {
			at[name(t)] = i // the first of a name counts
		}
		return at
	}
	old, next := places(was), places(now)
	var before, after []string // those on both sides, in their orders
	for _, a := range was {
		if _, ok := next[name(a)]; !ok {
			w.say("%s %s removed", kind, name(a))
		} else {
			before = append(before, name(a))
		}
	}
	for _, b := range now {
		i, ok := old[name(b)]
		if !ok {
			w.say("%s %s added%s", kind, name(b), text(b))
			continue
		}
		after = append(after, name(b))
		both(was[i], b)
	}
	if !slices.Equal(before, after) {
		w.say("the %ss stand in another order", kind)
	}
}

func listenerText(l model.Listener) string {
	return fmt.Sprintf(" at %s for %s", l.Address, strings.Join(l.Hosts, ", "))
}

func poolText(p model.Pool) string {
	var names []string
	for _, n := range p.Nodes {
		names = append(names, n.Name)
	}
	return " with " + strings.Join(names, ", ")
}

func certificateText(c model.Certificate) string {
	if c.Chain != "" {
		return " from " + c.Chain
	}
	return " for " + strings.Join(c.Hosts, ", ")
}

func (w *words) pool(a, b model.Pool) {
	at := "pool " + a.Name + ": "
	before, after := a, b
	before.Nodes, after.Nodes = nil, nil
	w.fields(at, before, after)
	old, next := nodesOf(a), nodesOf(b)
	for _, n := range a.Nodes {
		if next[n.Name] == nil {
			w.say("%snode %s removed", at, n.Name)
		}
	}
	for _, n := range b.Nodes {
		switch was := old[n.Name]; {
		case was == nil:
			w.say("%snode %s added at %s%s", at, n.Name, n.Address, newcomer(n))
		case *was != n:
			w.node(at+"node "+n.Name, *was, n)
		}
	}
	if !slices.Equal(common(a, next), common(b, old)) {
		w.say("%sits nodes stand in another order", at)
	}
}

// nodesOf are a pool's nodes by name, of which there may be thousands.
func nodesOf(p model.Pool) map[string]*model.Node {
	all := make(map[string]*model.Node, len(p.Nodes))
	for i := range slices.Backward(p.Nodes) {
		all[p.Nodes[i].Name] = &p.Nodes[i]
	}
	return all
}

// common are the names of a pool's nodes that another one has as well.
func common(p model.Pool, other map[string]*model.Node) (names []string) {
	for _, n := range p.Nodes {
		if other[n.Name] != nil {
			names = append(names, n.Name)
		}
	}
	return names
}

func newcomer(n model.Node) string {
	if n.State == model.Active {
		return ""
	}
	return ", which " + becomes(n.State)
}

// becomes is what a node does in a state.
func becomes(s model.State) string {
	switch s {
	case model.Drain:
		return "drains"
	case model.Standby, model.Spare:
		return "is a " + string(s)
	default:
		return "is " + string(s)
	}
}

func (w *words) node(at string, a, b model.Node) {
	if a.State != b.State {
		w.say("%s %s (was %s)", at, becomes(b.State), a.State)
	}
	a.State, b.State = "", ""
	w.fields(at+": ", a, b)
}
