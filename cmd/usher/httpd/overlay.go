package httpd

import (
	"fmt"
	"slices"
	"strings"

	"usher/model"
)

// overlay changes the routes of all requests that a section is for. Where it is
// for a part of a route's paths, the part becomes a route of its own before it.
func overlay(routes []*route, where *route, change func(*route)) []*route {
	switch {
	case where == nil:
		return routes
	case where.Regex != "":
		return overlayMatching(routes, where, change)
	}
	var early, inside []*route // expressions that may take some of the paths, and routes behind the first of them
	for i, r := range routes {
		switch {
		case r.isWithin(where.Path):
			change(r)
			if len(early) > 0 {
				inside = append(inside, r)
			}
			if r.Path == where.Path {
				if len(early) > 0 {
					where.from.say(Approximated, where.unasked(early))
				}
				return hoist(routes, early, inside, change)
			}
		case r.Regex != "" && r.to != nil && r.mayMeet(where.Path):
			early = append(early, r)
		case r.Path != "" && below(where.Path, r.Path):
			return split(routes, i, early, inside, where, change)
		}
	}
	return where.widened(routes, early, change)
}

// unasked says that expressions come too late for a section's paths.
func (r *route) unasked(early []*route) string {
	return fmt.Sprintf("the expression in %s is not asked for paths below %s", early[0].from.place, r.Path)
}

// widened puts the rules on all that the expressions match: nothing else is known of
// their requests.
func (r *route) widened(routes, early []*route, change func(*route)) []*route {
	for _, e := range early {
		e.tighten(change)
		r.from.say(Approximated, fmt.Sprintf("the rules were put on all that the expression in %s matches", e.from.place))
	}
	return routes
}

// tighten changes a route of which not all requests are meant: whom it kept out before
// it keeps out still.
func (r *route) tighten(change func(*route)) {
	own := r.clone()
	change(own)
	r.gates = own.gates.under(r.gates, gates{})
}

// isWithin tells whether all requests of a route are for a path or below it.
func (r *route) isWithin(path string) bool {
	if r.Regex != "" {
		return path == "/" || strings.HasPrefix(literal(string(r.Regex)), strings.TrimSuffix(path, "/")+"/")
	}
	return below(r.plainPath(), path)
}

// mayMeet tells whether a request below a path may be one of the route's.
func (r *route) mayMeet(path string) bool {
	begin := r.plainPath()
	if r.Regex != "" {
		expression, folds := strings.CutPrefix(string(r.Regex), "(?i)")
		if begin = literal(expression); folds {
			begin, path = strings.ToLower(begin), strings.ToLower(path)
		}
	}
	return overlap(path, begin)
}

// split puts a narrower route before the one that it is a part of. What is closed
// stays so, but not for expressions before it.
func split(routes []*route, i int, early, inside []*route, where *route, change func(*route)) []*route {
	r := routes[i]
	if r.to == nil {
		return where.widened(routes, early, change)
	}
	narrow := r.narrowed(where.Path)
	narrow.from, narrow.verdict, narrow.note = where.from, Carried, ""
	change(narrow)
	if len(early) > 0 {
		narrow.verdict, narrow.note = Approximated, where.unasked(early)
	}
	return hoist(slices.Insert(routes, i, narrow), early, append(inside, narrow), change)
}

// hoist puts routes before the first of the expressions that would take some of
// their requests and do not ask who comes. What these ask for themselves is asked
// by the routes then, as far as the section does not take its place.
func hoist(routes, early, inside []*route, change func(*route)) []*route {
	if len(early) == 0 {
		return routes
	}
	own := replaced(change)
	for _, r := range inside {
		for _, e := range early {
			r.gates = r.gates.under(e.gates, own)
		}
	}
	first, last := slices.Index(routes, early[0]), slices.Index(routes, inside[len(inside)-1])
	ahead := inside
	for i := last - 1; i > first; i-- {
		if r := routes[i]; r.Regex != "" && r.to == nil {
			ahead = slices.Insert(slices.Clone(ahead), 0, r)
		}
	}
	var all []*route
	for _, r := range routes {
		if r == early[0] {
			all = append(all, ahead...)
		}
		if !slices.Contains(ahead, r) {
			all = append(all, r)
		}
	}
	return all
}

// replaced are the gates that a section puts into the place of those around it: not
// those that AuthMerging adds to them, which let nobody in where these do not.
func replaced(change func(*route)) gates {
	shut := route{gates: gates{authz: &access{}}}
	change(&shut)
	if len(shut.gates.authz.from) == 0 {
		shut.gates.authz = nil
	}
	return shut.gates
}

// overlayMatching is overlay for an expression. Its requests are known only where
// all routes do the same with them; else they are closed, if the section closes
// anything.
func overlayMatching(routes []*route, where *route, change func(*route)) []*route {
	var one *route
	lets := false // somebody in
	open, several := where.met(routes)
	for _, i := range open {
		r := routes[i]
		if r.Regex == where.Regex && one == nil {
			change(r)
			return routes
		}
		changed := r.clone()
		change(changed)
		several = several || r.Rewrite != "" || one != nil && !one.same(changed)
		one = changed
		lets = lets || len(changed.gates.result().from) > 0
	}
	if one == nil {
		return routes
	}
	one.Path, one.Exact, one.Regex = "", "", where.Regex
	one.from, one.verdict, one.note, one.comment = where.from, Carried, "", ""
	a := one.gates.result()
	switch {
	case several && a.from.all() && !a.certificate:
		where.from.say(Approximated, "what it opens stays as it is: the paths that the expression matches belong to several pools, or to none")
		return routes
	case several && lets:
		one.Route, one.to = model.Route{Regex: where.Regex, Deny: true}, nil
		one.verdict, one.note = Approximated, "closed to everybody: what the expression matches belongs to several pools, or in part to none; write a route for each"
		one.comment = one.note
	}
	return slices.Insert(routes, open[0], one)
}

// met are the routes to nodes that requests of an expression may come to, and
// whether some may come to no node between or behind them.
func (r *route) met(routes []*route) (open []int, part bool) {
	begin := literal(string(r.Regex))
	closed := false
	for i, o := range routes {
		switch meets := o.mayMeet(begin); {
		case meets && o.to != nil:
			open, part = append(open, i), part || closed
		case meets && len(open) > 0:
			closed = true
		}
		if o.Path != "" && r.isWithin(o.Path) {
			return open, part || o.to == nil
		}
	}
	return open, true
}

// ruled is the route that the rules of a section are for, and what they do there.
// Where httpd's expression has no equal they are put on all that it may match.
func (t *translation) ruled(d *directive, change func(*route)) (*route, func(*route)) {
	r := t.where(d)
	pattern := d.arg(0)
	if r != nil || !isExpression(d) && !strings.HasPrefix(pattern, "/") {
		return r, change
	}
	var probe route
	if change(&probe); probe.gates.result().from.all() && !probe.gates.result().certificate {
		return nil, change // it opens, and nothing is lost but that
	}
	switch {
	case pattern == "~":
		pattern = d.arg(1)
	case !isExpression(d):
		pattern = globbed(pattern)
	}
	r = at(folder(pattern), d)
	d.amend(d.brief(), Approximated, fmt.Sprintf("the expression is none of RE2: the rules were put on all of %s", r.Path))
	return r, func(o *route) { o.tighten(change) }
}

// isExpression tells whether a section's paths are those that an expression matches.
func isExpression(d *directive) bool { return d.is("locationmatch") || d.arg(0) == "~" }

// folder is the path down to the last slash that an expression certainly begins
// with.
func folder(pattern string) string {
	begin := literal(pattern)
	if alternatives(pattern) || !strings.Contains(strings.TrimPrefix(begin, "/"), "/") {
		return "/"
	}
	return begin[:strings.LastIndexByte(begin, '/')]
}
