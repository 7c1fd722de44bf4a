package desk

import (
	"cmp"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"usher/model"
)

// Changes are the differences of two cluster files in words: of listeners and their
// routes, pools and their nodes, and certificates.
func Changes(was, now *model.Cluster) []string {
	var w words
	matched(&w, was.Listeners, now.Listeners, func(l model.Listener) string { return "listener " + l.Name }, listenerText, func(a, b model.Listener) {
		w.listener(a, b, was, now)
	})
	matched(&w, was.Pools, now.Pools, func(p model.Pool) string { return "pool " + p.Name }, poolText, w.pool)
	matched(&w, was.Certificates, now.Certificates, func(c model.Certificate) string { return "certificate " + c.Name }, certificateText, func(a, b model.Certificate) {
		w.fields("certificate "+a.Name+": ", a, b)
	})
	return w
}

// words are what has been said.
type words []string

func (w *words) say(format string, args ...any) { *w = append(*w, fmt.Sprintf(format, args...)) }

// matched says what came, what went and what changed among things that have names.
func matched[T any](w *words, was, now []T, name, text func(T) string, both func(a, b T)) {
	find := func(all []T, n string) int { return slices.IndexFunc(all, func(t T) bool { return name(t) == n }) }
	var before, after []string // those on both sides, in their orders
	for _, a := range was {
		if find(now, name(a)) < 0 {
			w.say("%s removed", name(a))
		} else {
			before = append(before, name(a))
		}
	}
	for _, b := range now {
		i := find(was, name(b))
		if i < 0 {
			w.say("%s added%s", name(b), text(b))
			continue
		}
		after = append(after, name(b))
		both(was[i], b)
	}
	if what, _, _ := strings.Cut(strings.Join(after, ""), " "); !slices.Equal(before, after) {
		w.say("the %ss stand in another order", what)
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

func (w *words) listener(a, b model.Listener, was, now *model.Cluster) {
	at := "listener " + a.Name + ": "
	before, after := said(a.Routes, was), said(b.Routes, now)
	a.Routes, b.Routes = nil, nil
	w.fields(at, a, b)
	name := func(r model.Route) string { return at + "route " + routeName(r) }
	find := func(all []model.Route, n string) int {
		return slices.IndexFunc(all, func(r model.Route) bool { return name(r) == n })
	}
	var left, right []string
	for _, r := range before {
		if find(after, name(r)) < 0 {
			w.say("%s removed", name(r))
		} else {
			left = append(left, name(r))
		}
	}
	for _, r := range after {
		i := find(before, name(r))
		if i < 0 {
			w.say("%s → %s added", name(r), target(r))
			continue
		}
		right = append(right, name(r))
		w.route(name(r)+": ", before[i], r)
	}
	if !slices.Equal(left, right) {
		w.say("%sits routes stand in another order", at)
	}
}

// route says where a route leads now, and what else is new about it.
func (w *words) route(at string, a, b model.Route) {
	if was, is := target(a), target(b); was != is {
		w.say("%s%s (was %s)", at, is, was)
		b.Pool, b.Deny, b.Redirect, b.Respond = a.Pool, a.Deny, a.Redirect, a.Respond
	}
	if a.Upgrades == nil || b.Upgrades == nil { // only what forwards has any
		a.Upgrades, b.Upgrades = nil, nil
	}
	w.fields(at, a, b)
}

// said are routes without what they take from their pools.
func said(routes []model.Route, c *model.Cluster) []model.Route {
	routes = slices.Clone(routes)
	for i := range routes {
		r := &routes[i]
		of := model.Pool{Timeout: model.DefaultTimeout, OnFailure: model.Failover}
		if p := poolOf(c, r.Pool); p != nil {
			of = *p
		}
		if r.Timeout == of.Timeout {
			r.Timeout = 0
		}
		if r.OnFailure == of.OnFailure {
			r.OnFailure = ""
		}
	}
	return routes
}

func routeName(r model.Route) string {
	switch {
	case r.Exact != "":
		return "= " + r.Exact
	case r.Regex != "":
		return "~ " + string(r.Regex)
	}
	return r.Path
}

// target is where a route leads.
func target(r model.Route) string {
	switch {
	case r.Deny:
		return "deny"
	case r.Redirect != nil:
		return "redirect " + r.Redirect.To
	case r.Respond != nil:
		return fmt.Sprintf("answer %d", r.Respond.Status)
	}
	return "pool " + r.Pool
}

func (w *words) pool(a, b model.Pool) {
	at := "pool " + a.Name + ": "
	before, after := a, b
	before.Nodes, after.Nodes = nil, nil
	w.fields(at, before, after)
	for _, n := range a.Nodes {
		if nodeOf(b, n.Name) == nil {
			w.say("%snode %s removed", at, n.Name)
		}
	}
	for _, n := range b.Nodes {
		if old := nodeOf(a, n.Name); old != nil {
			w.node(at+"node "+n.Name, *old, n)
		} else {
			w.say("%snode %s added at %s%s", at, n.Name, n.Address, newcomer(n))
		}
	}
	if !slices.Equal(common(a, b), common(b, a)) {
		w.say("%sits nodes stand in another order", at)
	}
}

// common are the names of a pool's nodes that another one has as well.
func common(p, other model.Pool) (names []string) {
	for _, n := range p.Nodes {
		if nodeOf(other, n.Name) != nil {
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

// fields says which keys of two like things differ, in the order of their types.
func (w *words) fields(at string, a, b any) {
	w.compare(at, "", reflect.ValueOf(a), reflect.ValueOf(b))
}

func (w *words) compare(at, key string, a, b reflect.Value) {
	if reflect.DeepEqual(a.Interface(), b.Interface()) {
		return
	}
	if a.Kind() == reflect.Pointer && !a.IsNil() && !b.IsNil() {
		a, b = a.Elem(), b.Elem()
	}
	if _, single := a.Interface().(fmt.Stringer); a.Kind() != reflect.Struct || single {
		w.say("%s%s %s (was %s)", at, key, text(b), text(a))
		return
	}
	for i := range a.NumField() {
		name := a.Type().Field(i).Tag.Get("yaml")
		if name == "" {
			continue
		}
		if key != "" {
			name = key + "." + name
		}
		w.compare(at, name, a.Field(i), b.Field(i))
	}
}

// text is a value as one would write it.
func text(v reflect.Value) string {
	if s, ok := v.Interface().(fmt.Stringer); ok && v.Kind() != reflect.Pointer {
		return cmp.Or(s.String(), "none")
	}
	switch v.Kind() { //nolint:exhaustive // all others are written as they are
	case reflect.Pointer:
		if v.IsNil() {
			return "none"
		}
		return text(v.Elem())
	case reflect.Slice:
		var all []string
		for i := range v.Len() {
			all = append(all, text(v.Index(i)))
		}
		if len(all) == 0 {
			return "none"
		}
		return "[" + strings.Join(all, ", ") + "]"
	case reflect.Struct:
		var all []string
		for i := range v.NumField() {
			if name := v.Type().Field(i).Tag.Get("yaml"); name != "" && !v.Field(i).IsZero() {
				all = append(all, name+": "+text(v.Field(i)))
			}
		}
		return "{" + strings.Join(all, ", ") + "}"
	}
	return cmp.Or(fmt.Sprint(v.Interface()), "none")
}
