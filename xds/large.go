package xds

import (
	"cmp"
	_ "embed"
	"maps"
	"net/netip"
	"slices"
	"strings"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	routev3 "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"
	luav3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/lua/v3"
	"google.golang.org/protobuf/proto"

	"usher/model"
)

// Large pools. A subset for each node costs Envoy memory, and time that grows with
// the square of the nodes, in each of its workers. So the nodes of a large pool have
// subsets by tier alone, and a session's node is asked for by its address: a script
// finds the address by the name, and Envoy takes it if it can serve, or else looks
// on in the order that the route says. What names stand for is in the route table,
// so that states and weights are changes of endpoints alone; a name that comes or
// goes, and a new address, are changes of routes as well.
//
// Envoy asks for an address once: a request that is tried again goes where the
// order of names leads, which is its own node only where that has a subset.

//go:embed large.lua
var largeScript string

const (
	largeFilter = "usher.filters.http.large"
	largeName   = "large"
	planKey     = "plan"
	namesKey    = "names"   // the version of them
	verdictKey  = "verdict" // what is counted where the script has found no node
	whyKey      = "why"
	noAddress   = "-"            // the node has none, or shares another's
	goneNode    = outcomeDrained // it is disabled, and no other stands in for it
)

// A pool that grows changes by one thing at a time: the listener gets the script,
// then the routes use it, then the endpoints lose their subsets. Two at once would
// for a moment send sessions by old routes to subsets that have gone, or by new
// ones past a script that old connections do not have.
const (
	// filterNodes is up to how many nodes of a pool are without the script.
	filterNodes = 100
	// scriptNodes is up to how many nodes of a pool are found without it. The cost
	// of a request does not grow with them (231 µs of CPU by filter, 247 by script, 232
	// among 2,000 nodes, where one set-up varied by 25 %). A change of a weight costs
	// Envoy with subsets 0.14 s of CPU at 1,000 nodes and 1.6 s at 5,000, without them
	// 0.04 s and 0.18 s.
	scriptNodes = 500
	// subsetNodes is up to how many nodes of a pool have a subset each: 28 KiB for
	// each of Envoy's workers, 370 MB instead of 126 MB at 10,000 nodes and one.
	subsetNodes = 1000
)

// large tells whether a script finds the nodes of sessions.
func (b backend) large() bool { return b.Named() && len(b.Nodes) > scriptNodes }

// bare tells whether nodes have no subset of their own.
func (b backend) bare() bool { return b.Named() && len(b.Nodes) > subsetNodes }

// grown tells whether the pool of a route that keeps sessions has so many nodes.
func (s socket) grown(beyond int) bool {
	return s.forwards(func(r model.Route, p backend) bool { return p.Named() && len(p.Nodes) > beyond && !r.Sticky.Off() })
}

func largeLua() *luav3.Lua {
	return &luav3.Lua{SourceCodes: map[string]*corev3.DataSource{
		largeName: {Specifier: &corev3.DataSource_InlineString{InlineString: largeScript}},
	}}
}

// standIns are the nodes of a large pool that others redirect to. They alone have a
// subset of their own there: who looks for one finds it if the other can't serve.
func (b backend) standIns() map[string]bool {
	all := map[string]bool{}
	for _, n := range b.Nodes {
		if n.Redirect != "" {
			all[n.Redirect] = true
		}
	}
	return all
}

// withSubsets are those of the names that a node of a large pool answers to that
// have a subset.
func withSubsets(names []string, standIns map[string]bool) []string {
	return slices.DeleteFunc(names, func(name string) bool { return !strings.HasPrefix(name, "@") && !standIns[name] })
}

// standFor is what the names of a large pool stand for: the address of a node and
// those that stand in for it.
func (b backend) standFor(m Material, into map[string]any) {
	seen := map[netip.AddrPort]bool{}
	for _, n := range b.Nodes {
		at, ok := locate(n.Address, m.IPs)
		stands := noAddress
		switch {
		case n.State == model.Disabled && n.Redirect == "":
			stands = goneNode
		case n.State != model.Disabled && ok && !seen[at]:
			seen[at] = true
			stands = at.String()
		}
		into[b.Name+"/"+n.Name] = strings.Join(append([]string{stands}, redirects(b.Pool, n)...), " ")
	}
}

// namesVersion changes with what the names stand for.
func (b backend) namesVersion(m Material) string {
	into := map[string]any{}
	b.standFor(m, into)
	var parts [][]byte
	for _, name := range slices.Sorted(maps.Keys(into)) {
		parts = append(parts, []byte(name), []byte(into[name].(string)))
	}
	return version(parts...)
}

// names are what the script looks up in a virtual host.
func (s socket) names(l model.Listener) *corev3.Metadata {
	into := map[string]any{}
	for _, r := range l.Routes {
		if p, ok := s.pools[r.Pool]; ok && r.Forwards() && !r.Sticky.Off() && p.large() {
			p.standFor(s.material, into)
		}
	}
	if len(into) == 0 {
		return nil
	}
	return metadata(largeFilter, into)
}

// planned lets the script see to the requests of a route.
func planned(r *routev3.Route, plan, names string) {
	enable(r, largeFilter, &luav3.LuaPerRoute{Override: &luav3.LuaPerRoute_Name{Name: largeName}})
	r.Metadata = cmp.Or(r.Metadata, &corev3.Metadata{})
	proto.Merge(r.Metadata, metadata(largeFilter, map[string]any{planKey: plan, namesKey: names}))
}

// plan is what the script has to know of a route, a line for each thing.
func (s seating) plan() string {
	lines := []string{"pool " + s.Name, "tiers " + strings.Join(s.tiers(), " ")}
	if s.strict {
		lines = append(lines, "strict")
	}
	for _, by := range sources(s.Pool) {
		kind := "cookie "
		if by.inPath {
			kind = "path "
		}
		lines = append(lines, strings.TrimSpace(kind+by.name+" "+by.separator))
	}
	return strings.Join(lines, "\n")
}

// asking are the seats of a large pool: who may name a node, and who names none.
func (s seating) asking() (all []seat) {
	for _, by := range sources(s.Pool) {
		seat := seat{headers: by.mayName(), outcome: outcomeKnown, wants: looksFor(append([]string{""}, s.tiers()...)...), plan: s.plan()}
		if c := s.RouteCookie(); c != nil {
			seat.rules = append(seat.rules, held(*c))
			seat.announce = announceUnlessHeld
		}
		all = append(all, seat)
	}
	return append(all, seat{outcome: outcomeNew, wants: looksFor(s.tiers()...), announce: s.always()})
}
