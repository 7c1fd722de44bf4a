package httpd

import (
	"slices"
	"strings"

	"usher/model"
)

// A route for /app/ that is closed to some is closed to them at /app as well
// (model.Route.Guarded). In httpd that one path is what is around it.

// slashed gives /app a route of its own before /app/, where that one would let in whom
// httpd does not at /app; where it keeps out more the report says so.
func slashed(routes []*route) (all []*route) {
	for i, r := range routes {
		path := strings.TrimSuffix(r.Path, "/")
		around := takerOf(routes[i+1:], path)
		if path == "" || path == r.Path || !r.Guarded() || around == nil || takerOf(routes[:i], path) != nil {
			all = append(all, r)
			continue
		}
		if around.to == nil && !around.Deny {
			all = append(all, r) // httpd answers there itself
			continue
		}
		switch {
		case r.letsInMoreThan(around):
			all = append(all, around.only(path))
		case around.letsInMoreThan(r):
			r.from.further(path + " itself is closed as well")
		}
		all = append(all, r)
	}
	return all
}

// takerOf is the first route that a path comes to.
func takerOf(routes []*route, path string) *route {
	i := slices.IndexFunc(routes, func(r *route) bool {
		return r.Exact == path || r.Path != "" && below(path, r.Path) || r.matches(path)
	})
	if i < 0 {
		return nil
	}
	return routes[i]
}

// letsInMoreThan tells whether somebody gets in here and not there.
func (r *route) letsInMoreThan(o *route) bool {
	if r.to == nil {
		return false
	}
	a, b := r.gates.result(), o.gates.result()
	return o.to == nil || len(a.from.without(b.from)) > 0 || b.certificate && !a.certificate
}

// only is the same for one of its paths. What an expression rewrites is closed.
func (r *route) only(path string) *route {
	var e *route
	switch {
	case r.Regex != "" && r.Rewrite != "" || r.to == nil:
		e = r.clone()
		e.Route, e.to = model.Route{Deny: true}, nil
	case r.Regex != "":
		e = r.clone()
	default:
		e = r.narrowed(path)
	}
	e.Path, e.Exact, e.Regex = "", path, ""
	return e
}
