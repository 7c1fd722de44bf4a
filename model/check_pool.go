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
	k.limits(field, p)
	k.face(field, p)
	k.required(field+".nodes", len(p.Nodes) == 0, "the pool has no nodes", "name at least one: {name: isNode1, address: HOST:PORT}")
	seen, at := make(names, len(p.Nodes)), make(map[Address]int, len(p.Nodes))
	for i, n := range p.Nodes {
		k.node(field+".nodes", i, n, seen, at)
	}
	for i, n := range p.Nodes {
		if n.Set > 0 || n.Redirect != "" {
			k.rank(item(field+".nodes", i), n, p, seen)
		}
	}
}

// limits checks times and numbers.
func (k *checker) limits(field string, p Pool) {
	k.ranges(field, p)
	if p.SlowStart > 0 && (p.Balance.Hashes() || p.Balance == Random) {
		k.fault(field+".slow_start", "slow_start does not go with "+string(p.Balance), "choose round_robin or least_request, or remove it")
	}
}

// face checks what nodes and clients see of each other.
func (k *checker) face(field string, p Pool) {
	if p.Host != HostKeep && p.Host != HostNode {
		k.hostPort(field+".host", p.Host)
	}
	if p.Reverse == nil {
		return
	}
	field += ".reverse"
	for i, h := range p.Reverse.Hosts {
		k.hostPort(item(field+".hosts", i), h)
	}
	for i, s := range p.Reverse.CookiePath {
		at := item(field+".cookie_path", i)
		k.swap(at, s)
		k.required(at+".from", s.From != "" && !strings.HasPrefix(s.From, "/"), fmt.Sprintf("%.140q does not begin with /", s.From), "")
	}
	for i, s := range p.Reverse.CookieDomain {
		k.swap(item(field+".cookie_domain", i), s)
	}
}

func (k *checker) swap(field string, s Swap) {
	k.required(field+".from", s.From == "", "nothing to look for", "write what the node says")
	k.required(field+".to", s.To == "", "nothing to put in its place", "write what the client shall see")
	for key, text := range map[string]string{"from": s.From, "to": s.To} {
		k.required(join(field, key), strings.ContainsAny(text, "; \t\r\n"), fmt.Sprintf("%.140q is no attribute of a cookie", text), "no semicolons and no blanks")
	}
}

// rank checks where a node stands among the others.
func (k *checker) rank(field string, n Node, p Pool, nodes names) {
	k.ranges(field, n)
	k.required(field+".set", n.Set > 0 && p.Balance.Hashes(), "set does not go with "+string(p.Balance), "a hash knows no ranks; use state: standby")
	if n.Redirect == "" {
		return
	}
	k.among(nodes, field+".redirect", "node", n.Redirect)
	k.required(field+".redirect", n.Redirect == n.Name, "the node redirects to itself", "name another one")
	k.required(field+".redirect", !p.Named(), "redirect where no session names its node", "add sticky: {jvm_route: JSESSIONID}, or remove it")
}

func (k *checker) node(nodes string, i int, n Node, seen names, at map[Address]int) {
	field := item(nodes, i)
	k.name(seen, field, "node", n.Name)
	if n.Address.Port == 0 { // missing or unread
		k.required(field+".address", !k.has(field+".address"), "the node has no address", "write address: HOST:PORT")
		return
	}
	if !n.Address.IP().IsValid() && !hostPattern.MatchString(strings.ToLower(n.Address.Host)) {
		k.fault(field+".address", fmt.Sprintf("%q is neither a host name nor an IP address", n.Address.Host), "write HOST:PORT, such as node1.example.org:9443 or [2001:db8::1]:9443")
	}
	if first, twice := at[n.Address]; twice {
		k.fault(field+".address", n.Address.String()+" is another node's address",
			fmt.Sprintf("the first is in line %d; one server is one node", k.places.nearest(item(nodes, first)+".address").line))
		return
	}
	at[n.Address] = i
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

func sorted(s []string) []string {
	slices.Sort(s)
	return s
}

// drainTimeout checks that connections can be ended, and are those of TCP alone.
func (k *checker) drainTimeout(field string, p Pool) {
	if p.DrainTimeout == 0 {
		return
	}
	tcp := slices.ContainsFunc(k.Listeners, func(l Listener) bool { return l.TCP != nil && l.TCP.Pool == p.Name })
	http := slices.ContainsFunc(k.Listeners, func(l Listener) bool {
		return slices.ContainsFunc(l.Routes, func(r Route) bool { return r.Pool == p.Name })
	})
	k.required(field, p.Health.Path == "" && p.Health.TCP.Off(), "drain_timeout of a pool without a check", "connections are ended by a check that fails; remove tcp: false")
	k.required(field, !tcp, "no listener with tcp passes connections on to the pool", "requests end by themselves; remove it")
	k.required(field, tcp && http, "requests go to the pool as well, and their sessions would end with the connections", "make a pool of its own for the listener with tcp")
}
