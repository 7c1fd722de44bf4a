package model

import (
	"fmt"
	"slices"
	"strings"
)

func (k *checker) pool(field string, p Pool, certificates names) {
	k.sticky(field, p)
	k.poolTLS(field+".tls", p.TLS, certificates)
	k.health(field+".health", p.Health)
	if k.has(field+".try_timeout") && p.TryTimeout != 0 {
		k.span(field+".try_timeout", p.TryTimeout, minTry, maxTry)
	}
	k.required(field+".nodes", len(p.Nodes) == 0, "the pool has no nodes", "name at least one: {name: isNode1, address: HOST:PORT}")
	seen, at := names{}, map[Address]string{}
	for i, n := range p.Nodes {
		k.node(item(field+".nodes", i), n, seen, at)
	}
}

func (k *checker) node(field string, n Node, seen names, at map[Address]string) {
	k.name(seen, field, "node", n.Name)
	k.required(field+".address", !k.has(field+".address"), "the node has no address", "write address: HOST:PORT")
	if n.Address.Port == 0 {
		return // missing or unread
	}
	if !hostPattern.MatchString(strings.ToLower(n.Address.Host)) && !n.Address.IP().IsValid() {
		k.fault(field+".address", fmt.Sprintf("%q is neither a host name nor an IP address", n.Address.Host), "write HOST:PORT, such as node1.example.org:9443 or [2001:db8::1]:9443")
	}
	if first, twice := at[n.Address]; twice {
		k.fault(field+".address", n.Address.String()+" is another node's address",
			fmt.Sprintf("the first is in line %d; one server is one node", k.places.nearest(first).line))
		return
	}
	at[n.Address] = field + ".address"
}

func (k *checker) sticky(field string, p Pool) {
	s, path := p.Sticky, field+".sticky"
	switch {
	case s == nil && p.Balance.Hashes():
		k.fault(field+".balance", string(p.Balance)+" has nothing to hash", "add sticky: {cookie: {name: ROUTE}}, or choose round_robin")
	case s == nil:
	case (s.JVMRoute == "") == (s.Cookie == nil):
		k.fault(path, "exactly one of jvm_route and cookie belongs here", "jvm_route: JSESSIONID follows the servlet container's own cookie")
	case s.Cookie != nil:
		k.cookieName(path+".cookie.name", s.Cookie.Name)
		k.span(path+".cookie.ttl", s.Cookie.TTL, 0, maxTTL)
		if !p.Balance.Hashes() {
			k.fault(field+".balance", string(p.Balance)+" does not go with sticky.cookie", "leave balance out, or choose ring_hash or maglev")
		}
	default:
		k.cookieName(path+".jvm_route", s.JVMRoute)
		if p.Balance.Hashes() {
			k.fault(field+".balance", string(p.Balance)+" does not go with sticky.jvm_route", "the session names its node; choose round_robin, least_request or random for new ones")
		}
	}
}

const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"

// tokenMarks are the marks that RFC 9110, 5.6.2 allows in a token beside letters
// and digits.
const tokenMarks = "!#$%&'*+-.^_`|~" //nolint:gosec // no credential

// cookieName checks a cookie's name (RFC 6265, 4.1.1).
func (k *checker) cookieName(field, name string) {
	odd := strings.TrimLeft(name, letters+tokenMarks) != ""
	if name == "" || odd || len(name) > maxName {
		k.fault(field, fmt.Sprintf("%.140q is not the name of a cookie", name), "letters, digits and -_. will do")
	}
}

func (k *checker) poolTLS(field string, t *PoolTLS, certificates names) {
	if t == nil {
		return
	}
	k.among(certificates, field+".certificate", "certificate", t.Certificate)
	switch t.Verify {
	case VerifyNone:
		const hint = "with verify: none nothing is checked; remove one of the two"
		k.required(field+".ca", t.CA != "", "a CA that is never used", hint)
		k.required(field+".server_name", t.ServerName != "", "a server name that is never checked", hint)
	case VerifyPin:
		k.required(field+".ca", t.CA != "", "a CA that is never used", "with verify: pin the keys alone count; remove one of the two")
		k.required(field+".pins", len(t.Pins) == 0, "verify: pin without a pin", "with verify: none, `usher check --live` prints the pin of every node; then write pins: [sha256/…]")
	case VerifyCA:
	}
	if t.Verify != VerifyPin {
		k.required(field+".pins", k.has(field+".pins"), "pins that are never asked for", "write verify: pin beside them, or remove them")
	}
	k.pins(field+".pins", t.Pins)
	if t.ServerName != "" && !hostPattern.MatchString(strings.ToLower(t.ServerName)) {
		k.fault(field+".server_name", fmt.Sprintf("%q is not a host name", t.ServerName), "")
	}
}

func (k *checker) pins(field string, pins []Pin) {
	seen := map[Pin]bool{}
	for i, p := range pins {
		k.required(item(field, i), p != "" && seen[p], "the pin stands in the list twice", "remove one")
		seen[p] = true
	}
}

func (k *checker) health(field string, h Health) {
	switch {
	case h.Path != "" && h.TCP:
		k.fault(field, "path and tcp exclude each other", "a path is asked over a connection anyway; remove tcp")
	case h.Path != "":
		k.path(field+".path", h.Path)
	}
	k.span(field+".interval", h.Interval, minInterval, maxInterval)
}

func sorted(s []string) []string {
	slices.Sort(s)
	return s
}
