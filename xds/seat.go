package xds

import (
	"slices"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	routev3 "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"
	h2mv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/header_to_metadata/v3"

	"usher/model"
)

// seat is one kind of request on a route: how it is known, where its session
// belongs, and what is said of it. A route becomes one of Envoy's for each of its
// seats, and the first that fits a request counts.
type seat struct {
	headers  []*routev3.HeaderMatcher
	cookies  []*routev3.CookieMatcher
	outcome  string               // see the outcomes below
	asked    string               // the node that the request names, where that follows from the match
	rules    []*h2mv3.Config_Rule // find the node where it does not
	wants    *corev3.Metadata     // the order of names in which it looks for a node
	announce announce             // whether the answer names its node in the balancer's cookie
	plan     string               // of a large pool, for the script that finds the node
}

// Outcomes: what is known of a session before its node is chosen. Whether a known
// one stays on its node, the log and the counters find out afterwards.
const (
	outcomeKnown    = "known"         // it names a node
	outcomeConflict = "conflict"      // one of several cookies of one name does
	outcomeNew      = "new"           // it names none
	outcomeUnknown  = "unknown-route" // it names one that there is not
	outcomeDrained  = "drained"       // it names one that is disabled
	outcomeHash     = "hash"          // its node follows from a hash
	outcomeNone     = "none"          // it belongs to no session
)

// tableNodes is up to how many nodes a route has a seat for each: that costs a
// request 1 % of its instructions for each of them before its own, and reading
// the name by a filter 18 %.
const tableNodes = 8

// group are nodes whose sessions look for another one in the same places.
type group struct {
	names []string
	then  []string // stand-ins, the nearest first
}

// groupsOf are all nodes that a session may name, in groups that are as large as
// they can be, or each by itself.
func groupsOf(p model.Pool, alone bool) (all []group) {
	for _, n := range p.Nodes {
		if n.State == model.Disabled && n.Redirect == "" {
			continue
		}
		then := redirects(p, n)
		i := slices.IndexFunc(all, func(g group) bool { return slices.Equal(g.then, then) })
		if i < 0 || alone {
			i, all = len(all), append(all, group{then: then})
		}
		all[i].names = append(all[i].names, n.Name)
	}
	return all
}

// redirects are the nodes that stand in for a node, one after the other.
func redirects(p model.Pool, n model.Node) (names []string) {
	for n.Redirect != "" && !slices.Contains(names, n.Redirect) {
		names = append(names, n.Redirect)
		i := slices.IndexFunc(p.Nodes, func(o model.Node) bool { return o.Name == n.Redirect })
		if i < 0 {
			break
		}
		n = p.Nodes[i]
	}
	return names
}

// seating makes the seats of one route to a pool whose sessions name their nodes.
type seating struct {
	backend
	strict bool // a session ends when its node can't serve
	told   bool // log or counters want to know what became of a session
	logged bool // the log wants the name as it was asked for
}

// seats are those of a route, the last for everybody else.
func (s seating) seats() []seat {
	if s.large() {
		return s.asking()
	}
	var all []seat
	for _, by := range sources(s.Pool) {
		all = append(all, s.known(by)...)
	}
	if s.told {
		for _, by := range sources(s.Pool) {
			all = append(all, s.unserved(by)...)
		}
	}
	return append(all, seat{outcome: outcomeNew, wants: looksFor(s.tiers()...), announce: s.always()})
}

// known are the seats of those that a source shows to a node.
func (s seating) known(by source) (all []seat) {
	large := groupsOf(s.Pool, false)
	if by.inPath {
		for _, g := range large {
			all = append(all, s.read(by, g, outcomeKnown, by.shows(g.names)))
		}
		return all
	}
	all = s.first(by, large)
	var several []seat
	for _, g := range large {
		several = append(several, s.read(by, g, outcomeConflict, append(by.twice(), by.among(g.names)...)))
	}
	// Where the first of several cookies names a node, both seats lead to it: which
	// goes first is only a matter of what is told, and of 2,100 instructions.
	if s.told {
		return append(several, all...)
	}
	return append(all, several...)
}

// first are the seats of those whose first cookie of this name names a node.
func (s seating) first(by source, large []group) (all []seat) {
	if len(s.Nodes) > tableNodes {
		for _, g := range large {
			seat := s.read(by, g, outcomeKnown, nil)
			seat.cookies, seat.rules[0] = by.names(g.names), by.first(lbNamespace, routeKey)
			all = append(all, seat)
		}
		return all
	}
	for _, g := range groupsOf(s.Pool, true) {
		all = append(all, s.own(by, g)...)
	}
	return all
}

// read is a seat whose node a filter finds out, after the match has seen to it
// that there is one.
func (s seating) read(by source, g group, outcome string, match []*routev3.HeaderMatcher) seat {
	seat := seat{headers: match, outcome: outcome, rules: []*h2mv3.Config_Rule{by.rule(g.names, lbNamespace, routeKey)}, wants: looksFor(s.order("", g)...)}
	if c := s.RouteCookie(); c != nil {
		seat.rules = append(seat.rules, held(*c))
		seat.announce = announceUnlessHeld
	}
	return seat
}

// own are the seats of one node. The balancer's cookie is set where it does not
// name the node already.
func (s seating) own(by source, g group) []seat {
	name := g.names[0]
	one := seat{cookies: by.names(g.names), outcome: outcomeKnown, asked: name, wants: looksFor(s.order(name, g)...)}
	c := s.RouteCookie()
	if c == nil {
		return []seat{one}
	}
	if by.name == c.Name {
		one.announce = announceUnlessAsked
		return []seat{one}
	}
	both := one
	both.cookies = append(slices.Clone(one.cookies), routeSource(*c).names(g.names)...)
	both.announce = announceUnlessAsked
	one.announce = announceAlways
	return []seat{both, one}
}

// order is where the sessions of a group look for a node.
func (s seating) order(name string, g group) []string {
	order := append([]string{name}, g.then...)
	if s.strict {
		return order
	}
	return append(order, s.tiers()...)
}

// unserved are the seats of those that a source shows to a node that is disabled,
// or to none.
func (s seating) unserved(by source) (all []seat) {
	anew := seat{wants: looksFor(s.tiers()...), announce: s.always()}
	for _, n := range s.Nodes {
		if n.State != model.Disabled || n.Redirect != "" {
			continue
		}
		drained := anew
		drained.outcome, drained.asked = outcomeDrained, n.Name
		by.match(&drained, by.names([]string{n.Name}), by.shows([]string{n.Name}))
		all = append(all, drained)
	}
	unknown := anew
	unknown.outcome = outcomeUnknown
	by.match(&unknown, by.namesAny(), by.showsAny())
	if s.logged {
		unknown.rules = []*h2mv3.Config_Rule{by.rule(nil, usherNamespace, askedKey)}
	}
	return append(all, unknown)
}

func (s seating) always() announce {
	if s.RouteCookie() == nil {
		return announceNever
	}
	return announceAlways
}
