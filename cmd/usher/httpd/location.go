package httpd

import (
	"fmt"
	"path"
	"regexp"
	"strings"

	"usher/model"
)

// sections are the Locations that a server's requests meet, in the order in which
// httpd merges them: of two that say the same thing the later one counts.
func (s *server) sections() []*directive { return s.both("location", "locationmatch") }

// where is a route for the paths of a section, nil where it can't be one.
func (t *translation) where(d *directive) *route {
	pattern := d.arg(0)
	switch {
	case d.is("locationmatch"):
		return t.matching(d, pattern)
	case pattern == "~":
		return t.matching(d, d.arg(1))
	case !strings.HasPrefix(pattern, "/"):
		d.say(NotCarried, "it is no path")
		return nil
	case strings.ContainsAny(pattern, "*?["):
		return t.matching(d, globbed(pattern))
	}
	return at(pattern, d)
}

// globbed is an expression for a path with wildcards, which do not stand for
// slashes and have to match all of it (apr_fnmatch with APR_FNM_PATHNAME).
func globbed(pattern string) string {
	var b strings.Builder
	b.WriteString("^")
	for _, c := range pattern {
		switch c {
		case '*':
			b.WriteString("[^/]*")
		case '?':
			b.WriteString("[^/]")
		case '[', ']', '-':
			b.WriteRune(c)
		default:
			b.WriteString(regexp.QuoteMeta(string(c)))
		}
	}
	return b.String() + "$"
}

// overlay changes the routes of all requests that a section is for. Where it is
// for a part of a route's paths, the part becomes a route of its own before it.
func overlay(routes []*route, where *route, change func(*route)) []*route {
	switch {
	case where == nil:
		return routes
	case where.Regex != "":
		return overlayMatching(routes, where, change)
	}
	early := -1 // an expression before, which may take some of the paths
	for i, r := range routes {
		switch {
		case r.Regex != "":
			if begin := literal(string(r.Regex)); where.Path == "/" || below(begin, where.Path) {
				change(r)
			} else if early < 0 && (strings.HasPrefix(where.Path, begin) || strings.HasPrefix(begin, where.Path)) {
				early = i
			}
		case below(r.plainPath(), where.Path):
			change(r)
			if r.plainPath() == where.Path {
				return routes
			}
		case r.Exact == "" && below(where.Path, r.Path):
			return split(routes, i, early, where, change)
		}
	}
	if early >= 0 {
		change(routes[early]) // nothing else is known of its requests
	}
	return routes
}

// split puts a narrower route before the one that it is a part of, and before
// expressions that may take some of its requests otherwise.
func split(routes []*route, i, early int, where *route, change func(*route)) []*route {
	r := routes[i]
	if r.to == nil {
		return routes // what is closed stays so
	}
	narrow := r.narrowed(where.Path)
	narrow.from, narrow.verdict, narrow.note = where.from, Carried, ""
	change(narrow)
	if early >= 0 {
		i = early
		narrow.verdict, narrow.note = Approximated, fmt.Sprintf("the expression in %s is not asked for paths below %s", routes[early].from.place, where.Path)
	}
	return append(routes[:i], append([]*route{narrow}, routes[i:]...)...)
}

// overlayMatching is overlay for an expression. Its requests are known only where
// all routes do the same with them; else they are closed, if the section closes
// anything.
func overlayMatching(routes []*route, where *route, change func(*route)) []*route {
	var one *route
	several := false
	for _, r := range routes {
		if r.to == nil {
			continue
		}
		if r.Regex == where.Regex {
			change(r)
			return routes
		}
		changed := r.clone()
		change(changed)
		several = several || r.Rewrite != "" || one != nil && !one.same(changed)
		one = changed
	}
	if one == nil {
		return routes
	}
	one.Path, one.Exact, one.Regex = "", "", where.Regex
	one.from, one.verdict, one.note, one.comment = where.from, Carried, "", ""
	a := one.gates.result()
	switch {
	case several && a.from.all() && !a.certificate:
		where.from.say(Approximated, "what it opens stays as it is: the paths that the expression matches belong to several pools")
		return routes
	case several && len(a.from) > 0:
		one.Route, one.to = model.Route{Regex: where.Regex, Deny: true}, nil
		one.verdict, one.note = Approximated, "closed to everybody: what the expression matches belongs to several pools; write a route for each"
		one.comment = one.note
	}
	return append([]*route{one}, routes...)
}

// ruled is the route that the rules of a section are for. Where httpd's expression
// has no equal they are put on all that it may match.
func (t *translation) ruled(d *directive, change func(*route)) *route {
	pattern := d.arg(0)
	if pattern == "~" {
		pattern = d.arg(1)
	}
	if _, ok := wholePath(pattern); ok || !d.is("locationmatch") && d.arg(0) != "~" {
		return t.where(d)
	}
	var probe route
	if change(&probe); probe.gates.result().from.all() && !probe.gates.result().certificate {
		return t.where(d) // it opens, and nothing is lost but that
	}
	r := at(folder(pattern), d)
	d.say(Approximated, fmt.Sprintf("%q is no expression of RE2: the rules were put on all of %s", pattern, r.Path))
	return r
}

// folder is the path down to the last slash that an expression certainly begins
// with.
func folder(pattern string) string {
	begin := literal(pattern)
	if alternatives(pattern) || !strings.Contains(strings.TrimPrefix(begin, "/"), "/") {
		return "/"
	}
	return begin[:strings.LastIndexByte(begin, '/')]
}

// handled are the paths of a section that httpd answers itself, by SetHandler.
func (t *translation) handled(d *directive) *route {
	h := d.last("sethandler")
	if h == nil {
		return nil
	}
	instead := handlers[strings.ToLower(h.arg(0))]
	if instead == "" {
		h.say(NotCarried, "usher has no handlers: let a node answer, or write respond")
		return nil
	}
	h.say(NotCarried, instead)
	r := t.where(d)
	if r != nil {
		r.Deny, r.comment = true, instead
	}
	return r
}

var handlers = map[string]string{
	"balancer-manager": "usher status shows it; nodes are changed in the file",
	"server-status":    "usher status and /metrics show what runs",
	"server-info":      "usher show prints what runs",
	"ldap-status":      "usher has no LDAP",
	"md-status":        "usher cert list and usher status show certificates",
}

// glued is a path below another one.
func glued(prefix, rest string) string { return path.Join("/", prefix, rest) }
