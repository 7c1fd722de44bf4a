package httpd

import (
	"fmt"
	"slices"
	"strings"

	"usher/model"
)

// reverses takes ProxyPassReverse and those for cookies, each to the pools that it
// is for.
func (t *translation) reverses(l *listener, s *server) {
	for _, d := range s.both("proxypassreverse") {
		t.reverse(l, s, d, d.arg(0), d.arg(1))
	}
	t.swaps(l, s.both("proxypassreversecookiepath", "proxypassreversecookiedomain"), "/")
	for _, in := range s.sections() {
		for _, d := range in.those("proxypassreverse") {
			t.reverse(l, s, d, in.arg(0), d.arg(0))
		}
		t.swaps(l, in.those("proxypassreversecookiepath", "proxypassreversecookiedomain"), in.arg(0))
	}
}

// reverse takes one. The nodes' own addresses are known; further names are added.
func (t *translation) reverse(l *listener, s *server, d *directive, path, url string) {
	u := targetOf(url)
	var pools []*pool
	switch {
	case u.scheme == "balancer":
		if p := t.find(s, u.host); p != nil {
			pools = []*pool{p}
		}
	case u.scheme != "":
		pools = l.poolsWith(u)
	}
	foreign := len(pools) == 0
	if foreign {
		pools = l.poolsAt(path)
	}
	if len(pools) == 0 {
		d.say(NotCarried, "no pool is asked for that path")
		return
	}
	for _, p := range pools {
		p.maps(d)
		if foreign && u.scheme != "" && u.scheme != "balancer" {
			p.further(d, u)
		}
	}
	switch {
	case d.said():
	case !l.mirrored(path, u, pools):
		d.say(Approximated, "paths are mapped as the routes of the pool do")
	case u.scheme == "":
		d.say(Approximated, "of answers that name a node; one with another host stays as it is")
	default:
		d.say(Carried, "")
	}
}

// maps makes the pool's answers be mapped.
func (p *pool) maps(d *directive) {
	if p.Reverse == nil {
		p.Reverse = &model.Reverse{}
		p.notes["reverse"] = d.String()
	}
}

// further adds a name by which nodes know themselves.
func (p *pool) further(d *directive, u target) {
	name := u.host
	if !isHost(name) {
		d.say(NotCarried, u.host+" is no host name")
		return
	}
	if u.port != ports[u.scheme] {
		name = u.address().String()
	}
	if !slices.Contains(p.Reverse.Hosts, name) {
		p.Reverse.Hosts = append(p.Reverse.Hosts, name)
	}
}

// poolsWith are the pools of a listener that have a node with this address.
func (l *listener) poolsWith(u target) (all []*pool) {
	for _, r := range l.routes {
		if r.to != nil && r.to.has(u.address()) && !slices.Contains(all, r.to) {
			all = append(all, r.to)
		}
	}
	return all
}

// poolsAt are the pools whose routes are at a path, or below, or of which the path
// is a part.
func (l *listener) poolsAt(path string) (all []*pool) {
	for _, r := range l.routes {
		at := r.plainPath()
		if r.Regex != "" {
			at = literal(string(r.Regex))
		}
		if r.to != nil && (below(at, path) || at != "" && below(path, at)) && !slices.Contains(all, r.to) {
			all = append(all, r.to)
		}
	}
	return all
}

// mirrored tells whether a route of one of the pools maps the path as the URL does.
func (l *listener) mirrored(path string, u target, pools []*pool) bool {
	trim := func(s string) string { return strings.TrimSuffix(s, "/") }
	return slices.ContainsFunc(l.routes, func(r *route) bool {
		if r.to == nil || !slices.Contains(pools, r.to) {
			return false
		}
		inside := r.plainPath()
		if r.Rewrite != "" {
			inside = r.Rewrite
		}
		prefix := r.to.path
		if r.to.owner == nil {
			prefix = ""
		}
		return r.Regex != "" || trim(r.plainPath()) == trim(path) && (trim(inside) == trim(u.path) || trim(inside) == trim(prefix+u.path)) ||
			r.Rewrite == "" && trim(path) == trim(u.path)
	})
}

// swaps takes the directives for cookies of the pools at a path.
func (t *translation) swaps(l *listener, directives []*directive, path string) {
	for _, d := range directives {
		from, to := d.arg(0), d.arg(1)
		pools := l.poolsAt(path)
		switch {
		case len(pools) == 0:
			d.say(NotCarried, "no pool is asked for that path")
			continue
		case from == "" || to == "" || strings.ContainsAny(from+to, "; \t") || d.is("proxypassreversecookiepath") && !strings.HasPrefix(from, "/"):
			d.say(NotCarried, fmt.Sprintf("%q and %q are no attributes of a cookie", from, to))
			continue
		}
		for _, p := range pools {
			p.maps(d)
			into := &p.Reverse.CookiePath
			if d.is("proxypassreversecookiedomain") {
				into = &p.Reverse.CookieDomain
			}
			if swap := (model.Swap{From: from, To: to}); !slices.Contains(*into, swap) {
				*into = append(*into, swap)
			}
		}
		d.say(Carried, "")
	}
}
