package httpd

import (
	"slices"
	"strings"

	"usher/model"
)

// routes are those of a server, in the order in which httpd looks at them: rules of
// mod_rewrite, what Locations say, ProxyPass of the main server and of the
// VirtualHost, and mod_alias at last, for what nobody has proxied.
func (t *translation) routes(l *listener, s *server) []*route {
	all := t.rewriting(l, s)
	all = append(all, t.inSections(s)...)
	aliases := t.aliases(s)
	for _, d := range s.both("proxypass", "proxypassmatch") {
		r := t.pass(s, d, nil)
		if r == nil {
			continue
		}
		if r.Deny && r.verdict == Carried {
			all = append(all, within(aliases, r)...)
		}
		all = append(all, r)
	}
	for _, a := range aliases {
		all = append(all, a.clone())
	}
	all = distinct(t.guarded(l, s, reachable(all)))
	for _, r := range all {
		r.unseen(l.unbelieved)
		r.close()
	}
	l.refusalsSaid()
	return needed(slashed(all))
}

func (r *route) clone() *route {
	c := *r
	return &c
}

// inSections are the routes of Locations, the last one first, since of two that fit
// a request the later one counts.
func (t *translation) inSections(s *server) (all []*route) {
	var redirects, passes, handlers []*route
	for _, d := range s.sections() {
		if r := t.handled(d); r != nil {
			r.from = d
			handlers = append(handlers, r)
		}
		for _, a := range d.those("redirect", "redirectpermanent", "redirecttemp", "redirectmatch") {
			if r := t.redirectOf(a, d); r != nil {
				redirects = append(redirects, r)
			}
		}
		if p := d.last("proxypass", "proxypassmatch"); p != nil {
			if r := t.pass(s, p, d); r != nil {
				passes = append(passes, r)
			}
		}
	}
	slices.Reverse(redirects)
	slices.Reverse(passes)
	return slices.Concat(redirects, handlers, passes)
}

// aliases are the redirects of the server, its own before the main one's.
func (t *translation) aliases(s *server) (all []*route) {
	keys := []string{"redirect", "redirectpermanent", "redirecttemp", "redirectmatch"}
	directives := s.those(keys...)
	if s.main != nil {
		directives = append(directives, s.main.those(keys...)...)
	}
	for _, d := range directives {
		if r := t.redirectOf(d, nil); r != nil {
			all = append(all, r)
		}
	}
	return all
}

// within are the redirects below a path that is kept from the pools: ProxyPass /x !
// leaves it to them.
func within(aliases []*route, r *route) (all []*route) {
	for _, a := range aliases {
		switch {
		case r.Regex != "" || a.Regex != "":
			if r.Regex == "" && a.isWithin(r.Path) {
				all = append(all, a.clone())
			}
		case below(a.plainPath(), r.Path):
			all = append(all, a.clone())
		case below(r.Path, a.Path) && a.Redirect != nil:
			narrow := a.narrowed(r.Path)
			narrow.Redirect = &model.RouteRedirect{To: strings.TrimSuffix(a.Redirect.To, "/") + glued("", strings.TrimPrefix(r.Path, strings.TrimSuffix(a.Path, "/"))), Status: a.Redirect.Status}
			all = append(all, narrow)
		}
	}
	return all
}

// needed leaves out what httpd answers itself on paths that no node would be asked
// for anyway.
func needed(routes []*route) (all []*route) {
	for i, r := range routes {
		if r.Deny && r.from.is("location", "locationmatch") && r.verdict == Carried && !slices.ContainsFunc(routes[i+1:], func(o *route) bool { return o.to != nil && (o.covers(r) || o.Regex != "" || r.Regex != "") }) {
			continue
		}
		all = append(all, r)
	}
	return all
}

// guarded puts the rules of <Proxy> sections and of Locations onto the routes, in
// the order in which httpd merges them.
func (t *translation) guarded(l *listener, s *server, all []*route) []*route {
	for _, d := range s.both("proxy", "proxymatch") {
		change := t.rules(d, l.TLS != nil)
		for _, r := range all {
			if change != nil && r.to != nil {
				r.proxied(d, change)
			}
		}
	}
	s.mergesProxies(all)
	for _, d := range s.sections() {
		if change := t.rules(d, l.TLS != nil); change != nil {
			where, change := t.ruled(d, change)
			all = overlay(all, where, change)
		}
	}
	return reachable(t.refuse(l, s, all))
}

// mergesProxies keeps the rules of <Proxy> sections where a Location says that rules are
// merged: httpd merges all Locations first, and what that says then counts for the
// <Proxy> sections as well (ap_location_walk).
func (s *server) mergesProxies(all []*route) {
	i := slices.IndexFunc(s.sections(), func(d *directive) bool {
		m := d.last("authmerging")
		return m != nil && !strings.EqualFold(m.arg(0), "off")
	})
	if i < 0 {
		return
	}
	for _, r := range all {
		if r.to == nil || r.gates.authz == nil {
			continue
		}
		r.gates.beside = both(r.gates.beside, r.gates.authz)
		s.sections()[i].last("authmerging").say(Approximated, "the rules of <Proxy> sections count on all paths")
	}
}
