package httpd

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"usher/model"
)

// balancers makes pools of all balancers, with their members and parameters.
func (t *translation) balancers() {
	for _, s := range append([]*server{t.main}, t.hosts...) {
		for _, d := range s.those("proxy", "balancermember", "proxyset") {
			if name := d.arg(0); strings.HasPrefix(strings.ToLower(name), "balancer://") {
				t.define(s, d)
			}
		}
	}
}

// define takes a <Proxy balancer://…>, or a line outside that names a balancer.
func (t *translation) define(s *server, d *directive) {
	p := t.balancer(s, d)
	switch {
	case d.is("balancermember"):
		p.member(d, d.args[1:])
	case d.is("proxyset"):
		p.set(d, d.args[1:])
	default:
		d.say(Carried, "")
		p.set(d, d.args[1:])
		for _, m := range d.those("balancermember") {
			p.member(m, m.args)
		}
		for _, m := range d.those("proxyset") {
			p.set(m, m.args)
		}
	}
}

// balancer is the pool of a balancer that a server defines, an empty one at first.
func (t *translation) balancer(s *server, d *directive) *pool {
	u := targetOf(d.arg(0))
	for _, p := range t.pools {
		if p.owner == s && p.called == u.host {
			return p
		}
	}
	p := t.newPool(strings.Trim(d.arg(0)[len("balancer://"):], "/"), d)
	p.owner, p.called = s, u.host
	return p
}

// find is the balancer that a server means by a name: its own, or the main one's.
func (t *translation) find(s *server, name string) *pool {
	for _, owner := range []*server{s, s.main} {
		for _, p := range t.pools {
			if owner != nil && p.owner == owner && p.called == name {
				return p
			}
		}
	}
	return nil
}

// member takes the URL and the parameters of a BalancerMember.
func (p *pool) member(d *directive, words []string) {
	url, rest := "", []string{}
	for _, w := range words {
		if !strings.Contains(w, "=") && url == "" {
			url = w
		} else {
			rest = append(rest, w)
		}
	}
	u := targetOf(url)
	if u.scheme == "ajp" && isHost(u.host) {
		u = p.likely(d, u)
	}
	switch reason := u.foreign(); {
	case reason != "", u.scheme == "balancer":
		d.say(NotCarried, reason)
		p.lost = append(p.lost, fmt.Sprintf("%s: not carried: %s", d.place, reason))
		return
	case p.has(u.address()):
		d.say(NotCarried, u.address().String()+" is a node of the pool already, and one server is one node")
		return
	}
	other := p.other(u)
	n := model.Node{Address: u.address(), Name: p.nameOf(d, rest, u)}
	p.Nodes = append(p.Nodes, n)
	p.nodes = append(p.nodes, d.String())
	p.setNode(d, rest, len(p.Nodes)-1)
	switch {
	case other != "":
		p.Nodes[len(p.Nodes)-1].State = model.Disabled
		p.nodes[len(p.nodes)-1] += ": " + other
		d.say(NotCarried, other+": it is disabled until it has a pool of its own")
	case !slices.ContainsFunc(d.rows, func(r Row) bool { return r.What == plain(d.brief()) }):
		d.say(Carried, "")
	}
}

// likely is where a node that is asked by AJP probably speaks HTTP: instances of
// Tomcat on one machine have both connectors a number of ports further.
func (p *pool) likely(d *directive, u target) target {
	port := int(u.port) - 8009 + 8080
	if port < 1 || port > 65535 {
		port = 8080
	}
	guessed := target{scheme: "http", host: u.host, port: uint16(port), path: u.path}
	d.say(NotCarried, fmt.Sprintf("%s: the pool has %s, a guess; mend it", u.foreign(), guessed.address()))
	p.lost = append(p.lost, fmt.Sprintf("%s: %s spoke AJP, which Envoy does not: name the port of its HTTP connector", d.place, u.address()))
	return guessed
}

// other says why a server can't stand beside the first member: a pool speaks to all
// of its nodes in one way, and a route has one rewrite.
func (p *pool) other(u target) string {
	switch {
	case len(p.Nodes) == 0:
		p.scheme, p.path, p.Protocol = u, strings.TrimSuffix(u.path, "/"), u.protocol()
	case u.tls() != p.scheme.tls() || u.protocol() != p.Protocol:
		return fmt.Sprintf("the pool speaks %s", p.scheme.scheme)
	case strings.TrimSuffix(u.path, "/") != p.path:
		return fmt.Sprintf("the pool's paths begin with %s/", p.path)
	}
	return ""
}

// nameOf is the node's name: what the members' sessions end in.
func (p *pool) nameOf(d *directive, words []string, u target) string {
	route := ""
	for _, w := range words {
		if key, value, _ := strings.Cut(w, "="); strings.EqualFold(key, "route") {
			route = unquote(value)
		}
	}
	if route == "" {
		name := nodeName(p, u)
		d.sayOf(d.brief(), Approximated, fmt.Sprintf("it has no route, and was called %s: sessions stay on it once it is started with -DjvmRoute=%s", name, name))
		return name
	}
	name := unique(nameOf(route, "node"), p.named)
	if name != route {
		d.sayOf("route="+route, Approximated, fmt.Sprintf("called %s: names are letters, digits, _, . and -, and no two nodes have the same; start it with -DjvmRoute=%s", name, name))
	} else {
		d.sayOf("route="+route, Carried, "")
	}
	return name
}

func (p *pool) named(name string) bool {
	return slices.ContainsFunc(p.Nodes, func(n model.Node) bool { return n.Name == name })
}

// nodeName is a name for a node that has none: that of its machine, and the port
// where several are on it.
func nodeName(p *pool, u target) string {
	name, _, _ := strings.Cut(u.host, ".")
	if ip, err := netip.ParseAddr(u.host); err == nil {
		name = strings.NewReplacer(".", "-", ":", "-").Replace(ip.String())
	}
	name = nameOf(name, "node")
	if name == "localhost" || p.named(name) {
		name = fmt.Sprintf("%s-%d", name, u.port)
	}
	return unique(name, p.named)
}

// unquote takes away quotes that httpd would keep, as people don't mean them.
func unquote(s string) string { return strings.Trim(s, `"'`) }
