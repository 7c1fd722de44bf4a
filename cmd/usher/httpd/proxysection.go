package httpd

import (
	"cmp"
	"regexp"
	"slices"
	"strings"
)

// A <Proxy> section is for the requests whose URL at the nodes begins with its name
// (proxy_walk).

// proxied puts the rules of a <Proxy> section on a route of which it is for some
// requests or all. Where it is for some, what was closed before stays closed.
func (r *route) proxied(d *directive, change func(*route)) {
	whole, part := r.inSection(d)
	switch {
	case whole:
		change(r)
		if !d.said() {
			d.say(Carried, "")
		}
	case part:
		r.tighten(change)
		d.amend(d.brief(), Approximated, "the rules were put on all of the pool's requests")
		d.say(Approximated, "the rules were put on all of the pool's requests")
	}
}

// inSection tells whether a <Proxy> section is for all of a route's requests, or for
// some. Expressions that Go does not know may be for some of any.
func (r *route) inSection(d *directive) (whole, part bool) {
	name := d.arg(0)
	for _, url := range r.urls() {
		w, p := false, false
		switch begin, wild := cutWild(name); {
		case d.is("proxymatch"), name == "~":
			w, p = matchesURL(cmp.Or(d.arg(1), name), url)
		case wild && begin != strings.TrimSuffix(name, "*"):
			p = overlap(begin, url)
		default:
			w, p = strings.HasPrefix(url, begin), strings.HasPrefix(begin, url)
		}
		whole, part = whole || w, part || p
	}
	return whole, part
}

// urls are what the URLs of a route's requests begin with.
func (r *route) urls() (all []string) {
	path := cmp.Or(r.Rewrite, r.plainPath())
	if r.Regex != "" {
		path = ""
	}
	for _, base := range r.to.urls() {
		all = append(all, strings.TrimSuffix(base, "/")+path)
	}
	return all
}

// cutWild is a name up to its first wildcard.
func cutWild(name string) (begin string, wild bool) {
	at := strings.IndexAny(name, "*?[")
	if at < 0 {
		return name, false
	}
	return name[:at], true
}

// matchesURL tells whether an expression matches all URLs that begin so, as far as a
// few of them show it, or may match some.
func matchesURL(expression, url string) (whole, part bool) {
	re, err := regexp.Compile(expression)
	if err != nil {
		return false, true
	}
	short := strings.TrimSuffix(url, "/")
	missed := slices.ContainsFunc([]string{short + "/", short + "/a", short + "/b/c;d?e"}, func(u string) bool { return !re.MatchString(u) })
	return !missed, overlap(literal(expression), url)
}

// overlap tells whether one of two texts begins with the other.
func overlap(a, b string) bool { return strings.HasPrefix(a, b) || strings.HasPrefix(b, a) }
