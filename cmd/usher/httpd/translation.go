package httpd

import (
	"slices"

	"usher/model"
)

// translation turns directives into what the cluster file has.
type translation struct {
	*parser
	root         *directive
	main         *server
	hosts        []*server
	listeners    []*listener
	pools        []*pool
	certificates []*certificate
	managed      []*managed
	recipes      []*recipe
	upgrades     []*directive
	formats      map[string]*directive // of logs, by nickname
	expressions  map[string]*directive // of checks
	templates    map[string]*directive
}

func newTranslation(p *parser, root *directive) *translation {
	return &translation{
		parser: p, root: root,
		formats: map[string]*directive{}, expressions: map[string]*directive{}, templates: map[string]*directive{},
	}
}

// translate reads the directives in the order in which one needs the other.
func (t *translation) translate() {
	t.servers()
	t.nicknames()
	t.checks()
	t.balancers()
	t.domains()
	for _, s := range t.sockets() {
		t.socket(s)
	}
	t.acrossListeners()
	t.workers()
	t.webSockets()
	t.leaveUnused()
	for _, p := range t.pools {
		t.finish(p)
	}
	t.nameListeners()
	t.nameCertificates()
	t.rest()
}

// socket makes a listener of each server of an address.
func (t *translation) socket(s socket) {
	var beside []*listener
	tls := slices.ContainsFunc(s.servers, func(v *server) bool { return t.encrypted(v, s.listen) })
	for i, v := range s.servers {
		l := &listener{from: v, notes: map[string]string{}}
		l.Address = s.address()
		others := slices.ContainsFunc(s.servers[1:], func(o *server) bool { return slices.Contains(o.names, "*") })
		if !t.hostsOf(l, v, i == 0 && !others, beside) {
			continue
		}
		if tls {
			t.secured(l, v, s.listen)
		}
		beside = append(beside, l)
		t.fill(l, v)
		t.listeners = append(t.listeners, l)
	}
}

// leaveUnused takes away pools that nobody sends requests to: httpd starts with
// them, and usher would check their nodes for nothing.
func (t *translation) leaveUnused() {
	t.pools = slices.DeleteFunc(t.pools, func(p *pool) bool {
		used := slices.ContainsFunc(t.listeners, func(l *listener) bool {
			return slices.ContainsFunc(l.routes, func(r *route) bool { return r.to == p })
		})
		if !used && len(p.Nodes) == 0 {
			p.from.amend(p.from.brief(), NotCarried, "it has no members that usher could ask")
			return true
		}
		if !used && p.owner == nil {
			return true
		}
		if !used {
			p.lost = append(p.lost, "no route leads here")
		}
		return false
	})
}

// finish settles what needs all of a pool.
func (t *translation) finish(p *pool) {
	t.stick(p)
	t.checked(p)
	if p.Balance == "" {
		p.Balance = model.RoundRobin
	}
	for i, n := range p.Nodes {
		if n.Redirect == "" {
			continue
		}
		if !p.Named() || !p.named(n.Redirect) || n.Redirect == n.Name {
			p.amend("redirect", i, NotCarried, "it needs stickysession, and another node of that name")
			p.Nodes[i].Redirect = ""
		}
	}
}
