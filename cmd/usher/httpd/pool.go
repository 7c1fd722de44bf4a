package httpd

import (
	"fmt"
	"slices"
	"strings"

	"usher/model"
)

// pool is a balancer, or the one server of a ProxyPass without.
type pool struct {
	model.Pool
	from    *directive // its first line
	owner   *server    // where it is defined; nil for a server without a balancer
	called  string     // of a balancer its name in lower case
	scheme  target     // of the first member
	path    string     // what the members' URLs have behind the port
	session session
	check   check
	users   []*server // who sends requests there
	notes   map[string]string
	lost    []string // comments on what was not carried
	nodes   []string // a comment on each node
	said    map[string]string
	shows   *certificate // to nodes
	origins []origin
}

// origin is where a parameter of a pool or a node stands.
type origin struct {
	*directive
	key, what string
	node      int
}

// amend says of a parameter what turned out later. The node is -1 where it does not
// matter.
func (p *pool) amend(key string, node int, v Verdict, note string) {
	for _, o := range p.origins {
		if o.key == key && (node < 0 || o.node == node) {
			o.amend(o.what, v, note)
		}
	}
}

// newPool has a name that no other pool has.
func (t *translation) newPool(name string, from *directive) *pool {
	p := &pool{from: from, notes: map[string]string{}, said: map[string]string{}}
	p.Name = unique(nameOf(name, "pool"), func(n string) bool {
		return slices.ContainsFunc(t.pools, func(o *pool) bool { return o.Name == n })
	})
	t.pools = append(t.pools, p)
	return p
}

const maxName = 120 // characters, with room for a number behind

// nameOf makes a name of a text: letters, digits, _, . and -, not . or - first.
func nameOf(text, otherwise string) string {
	name := strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', r == '_', r == '.', r == '-':
			return r
		}
		return '-'
	}, text)
	name = strings.TrimLeft(name, ".-")
	if len(name) > maxName {
		name = name[:maxName]
	}
	if name == "" {
		return otherwise
	}
	return name
}

// unique puts a number behind a name that is taken.
func unique(name string, taken func(string) bool) string {
	for n, first := 2, name; taken(name); n++ {
		name = fmt.Sprintf("%s-%d", first, n)
	}
	return name
}

// settle gives the pool a value once. What another member or server says of it has
// no place.
func (p *pool) settle(key, value string, set func()) (Verdict, string) {
	was, ok := p.said[key]
	switch {
	case !ok:
		p.said[key] = value
		set()
		return Carried, ""
	case was == value:
		return Carried, ""
	}
	return Approximated, fmt.Sprintf("the whole pool has %s: %s, which was said first", key, was)
}

// direct is the pool of a server that a ProxyPass names without a balancer. Where two
// want another Host of it they have a pool each.
func (t *translation) direct(u target, from *directive, host string) *pool {
	for _, p := range t.pools {
		if p.owner == nil && p.scheme.tls() == u.tls() && p.scheme.address() == u.address() && p.Protocol == u.protocol() && p.said["host"] == host {
			return p
		}
	}
	p := t.newPool(strings.ReplaceAll(u.address().String(), ":", "-"), from)
	p.scheme, p.Protocol = u, u.protocol()
	p.Nodes = []model.Node{{Name: nodeName(p, u), Address: u.address()}}
	p.nodes = []string{from.String()}
	return p
}

// has tells whether an address is one of its nodes'.
func (p *pool) has(a model.Address) bool {
	return slices.ContainsFunc(p.Nodes, func(n model.Node) bool { return n.Address == a })
}

// urls are those that httpd asks: of the balancer, or of the one server, whose port
// may be left out where it is that of the scheme.
func (p *pool) urls() (all []string) {
	if p.owner != nil {
		return []string{"balancer://" + p.called + "/"}
	}
	for _, n := range p.Nodes {
		all = append(all, p.scheme.scheme+"://"+n.Address.String()+"/")
		if n.Address.Port == ports[p.scheme.scheme] {
			all = append(all, p.scheme.scheme+"://"+n.Address.Host+"/")
		}
	}
	return all
}

// usedBy notes who sends requests to a pool.
func (p *pool) usedBy(s *server) {
	if !slices.Contains(p.users, s) {
		p.users = append(p.users, s)
	}
}
