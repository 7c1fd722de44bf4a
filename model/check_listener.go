package model

import (
	"fmt"
	"net/netip"
	"regexp"
	"slices"
	"strings"
)

var (
	hostPattern = regexp.MustCompile(`^[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?)*\.?$`)
	pathForbids = regexp.MustCompile(`[?#;\s\x00-\x1f\x7f%]`)
)

func (k *checker) listener(field string, l Listener, pools, certificates names) {
	k.required(field+".address", !k.has(field+".address"), "the listener has no address", "write address: 0.0.0.0:8443")
	if l.Address.Port != 0 && !l.Address.IP().IsValid() {
		k.fault(field+".address", fmt.Sprintf("%q is not an IP address of this machine", l.Address.Host), "0.0.0.0 is all of them; names belong into hosts")
	}
	k.hosts(field+".hosts", l.Hosts)
	k.listenerTLS(field+".tls", l.TLS, certificates)
	k.redirect(field, l)
	k.required(field+".routes", len(l.Routes) == 0 && l.Redirect == "" && !k.has(field+".redirect"), "the listener has no routes", "send everything to a pool: routes: [{path: /, pool: NAME}]")
	for i, r := range l.Routes {
		k.route(item(field+".routes", i), r, l.Routes[:i], pools)
		k.routeClient(item(field+".routes", i)+".client_certificate", r, l.TLS)
	}
}

func (k *checker) redirect(field string, l Listener) {
	switch {
	case l.Redirect == "" && !k.unread(field+".redirect"):
		k.required(field+".redirect_port", l.RedirectPort != 0, "a port without a redirect", "add redirect: https, or remove it")
	case l.Redirect == "":
	case l.TLS != nil:
		k.fault(field+".redirect", "a listener with tls is HTTPS already", "give the redirect a listener of its own, without tls")
	case len(l.Routes) > 0:
		k.fault(field+".redirect", "both redirect and routes", "who is redirected reaches no route; remove one")
	case l.RedirectPort == 0 && !k.unread(field+".redirect_port"):
		what := "no listener serves these hosts by HTTPS"
		if len(k.securePorts(l.Hosts)) > 1 {
			what = "several ports serve these hosts by HTTPS"
		}
		k.fault(field+".redirect", what, "name the port that clients are to use: redirect_port: 443")
	}
}

func (k *checker) hosts(field string, hosts []string) {
	seen := map[string]bool{}
	for i, h := range hosts {
		if k.host(item(field, i), h, true) && seen[h] {
			k.fault(item(field, i), fmt.Sprintf("%q stands in the list twice", h), "remove one")
		}
		seen[h] = true
	}
}

// host checks a host name, an IP address, *.NAME, or * where any will do.
func (k *checker) host(field, h string, anyHost bool) bool {
	_, err := netip.ParseAddr(strings.Trim(h, "[]"))
	name := strings.TrimPrefix(h, "*.")
	switch {
	case anyHost && h == "*", err == nil, len(h) <= 253 && hostPattern.MatchString(name):
		return true
	case strings.Contains(h, ":"):
		k.fault(field, fmt.Sprintf("%q has a port", h), "hosts are names alone; the port in a Host header is ignored")
	default:
		k.fault(field, fmt.Sprintf("%.140q is not a host name", h), "such as is.example.org, *.example.org or 192.0.2.1")
	}
	return false
}

func (k *checker) route(field string, r Route, before []Route, pools names) {
	k.required(field+".path", r.Path == "", "the route has no path", "/ is everything")
	switch {
	case r.Deny && r.Pool != "":
		k.fault(field, "both deny and pool", "a route sends to a pool or is denied; remove one")
	case !r.Deny && r.Pool == "" && !k.unread(field+".pool") && !k.unread(field+".deny"):
		k.fault(field, "neither deny nor pool", "add pool: NAME, or deny: true")
	}
	k.among(pools, field+".pool", "pool", r.Pool)
	if r.Deny && k.has(field+".timeout") {
		k.fault(field+".timeout", "a denied path has no timeout", "remove it")
	}
	k.span(field+".timeout", r.Timeout, 0, maxTimeout)
	if r.Path == "" || !k.path(field+".path", r.Path) {
		return
	}
	for _, b := range before {
		if covers(b.Path, r.Path) {
			k.fault(field+".path", fmt.Sprintf("%q is never reached: %q before it covers it", r.Path, b.Path), "the first match wins; move the narrower path up")
			return
		}
	}
}

func (k *checker) path(field, path string) bool {
	switch {
	case !strings.HasPrefix(path, "/"):
		k.fault(field, fmt.Sprintf("%q does not begin with /", path), "")
	case pathForbids.MatchString(path):
		k.fault(field, fmt.Sprintf("%q is not a plain path", path), "no query, no path parameters, no escapes, no blanks")
	case strings.Contains(path, "//") || strings.Contains(path+"/", "/../") || strings.Contains(path+"/", "/./"):
		k.fault(field, fmt.Sprintf("%q never matches", path), "requests are freed of //, /./ and /../ before; write the path without them")
	default:
		return true
	}
	return false
}

// covers tells whether all below b is below a.
func covers(a, b string) bool {
	a = strings.TrimSuffix(a, "/")
	return b == a || strings.HasPrefix(b, a+"/")
}

// sockets checks that listeners fit beside each other.
func (k *checker) sockets() {
	for i, b := range k.Listeners {
		for j, a := range k.Listeners[:i] {
			if a.Address.Port != 0 && a.Address.Port == b.Address.Port {
				k.beside(a, b, i, j)
			}
		}
	}
}

// beside checks two listeners on one port.
func (k *checker) beside(a, b Listener, i, j int) {
	field, line := item("listeners", i), k.places.nearest(item("listeners", j)).line
	switch {
	case a.Address != b.Address && overlap(a.Address, b.Address):
		k.fault(field+".address", fmt.Sprintf("the port clashes with %s in line %d", a.Address, line), "one of them covers the other; give both the same address, or another port")
	case a.Address != b.Address:
	case (a.TLS == nil) != (b.TLS == nil):
		k.fault(field+".address", fmt.Sprintf("the port clashes: the listener in line %d has TLS and this one has not, or the reverse", line), "a port is encrypted or it is not")
	default:
		k.shared(a, b, field, line)
		k.sharedTLS(a.TLS, b.TLS, field+".tls", line)
	}
}

// shared checks the hosts of two listeners on one address.
func (k *checker) shared(a, b Listener, field string, line int) {
	for n, h := range b.Hosts {
		if !slices.Contains(a.Hosts, h) {
			continue
		}
		where := field + ".address"
		if k.has(field + ".hosts") {
			where = item(field+".hosts", n)
		}
		k.fault(where, fmt.Sprintf("the port clashes: the listener in line %d answers for %q on %s already", line, h, a.Address), "give the listeners different hosts, or different ports")
		return
	}
}

// overlap tells whether two addresses of one port are the same to the kernel.
func overlap(a, b Address) bool {
	x, y := a.IP(), b.IP()
	return x == y || x.IsUnspecified() || y.IsUnspecified()
}
