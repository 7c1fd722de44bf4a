package xds

import (
	"maps"

	xdsmatcherv3 "github.com/cncf/xds/go/xds/type/matcher/v3"
	endpointv3 "github.com/envoyproxy/go-control-plane/envoy/config/endpoint/v3"
	listenerv3 "github.com/envoyproxy/go-control-plane/envoy/config/listener/v3"
	routev3 "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"
	tlsv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/transport_sockets/tls/v3"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

// Since is what of the resources Envoy has to be asked about, where it has taken
// others before: clusters, listeners and routes that are not the same, with the
// secrets that they name and one node for each priority. So the answer takes as
// long as the change is large, however large the file. Routes may name clusters
// that are left out, as they may in a table that comes over xDS.
func (r Resources) Since(was Resources) Resources {
	var some Resources
	for name, m := range r[Clusters] {
		if proto.Equal(was[Clusters][name], m) {
			continue
		}
		some.put(Clusters, name, m)
		some.put(Endpoints, name, fewer(r[Endpoints][name].(*endpointv3.ClusterLoadAssignment)))
		r.secrets(&some, secretsOf(m))
	}
	for name, m := range r[Listeners] {
		table, _ := r[Routes][name].(*routev3.RouteConfiguration)
		before, _ := was[Routes][name].(*routev3.RouteConfiguration)
		if proto.Equal(was[Listeners][name], m) && proto.Equal(before, table) {
			continue
		}
		some.put(Listeners, name, m)
		r.secrets(&some, shownBy(m.(*listenerv3.Listener)))
		if table != nil {
			some.put(Routes, name, tableSince(before, table))
		}
	}
	return some
}

// secrets adds those of these names.
func (r Resources) secrets(some *Resources, names []string) {
	for _, name := range names {
		if m, ok := r[Secrets][name]; ok {
			some.put(Secrets, name, m)
		}
	}
}

// shownBy are the secrets that a listener names.
func shownBy(l *listenerv3.Listener) (names []string) {
	for _, chain := range l.FilterChains {
		if chain.TransportSocket != nil {
			ctx := &tlsv3.DownstreamTlsContext{}
			unpack(chain.TransportSocket, ctx)
			names = append(names, secretsIn(ctx.CommonTlsContext)...)
		}
	}
	return names
}

// fewer has the first node of each priority.
func fewer(a *endpointv3.ClusterLoadAssignment) *endpointv3.ClusterLoadAssignment {
	some := but(a, "endpoints")
	has := map[uint32]bool{}
	for _, l := range a.Endpoints {
		if has[l.Priority] {
			continue
		}
		one := but(l, "lb_endpoints")
		if len(l.LbEndpoints) > 0 {
			one.LbEndpoints = l.LbEndpoints[:1]
		}
		has[l.Priority] = true
		some.Endpoints = append(some.Endpoints, one)
	}
	return some
}

// tableSince is a table with all its hosts, and of their routes those that have
// changed.
func tableSince(was, now *routev3.RouteConfiguration) *routev3.RouteConfiguration {
	some := but(now, "virtual_hosts")
	some.ValidateClusters = wrapperspb.Bool(false)
	before := map[string]*routev3.VirtualHost{}
	for _, vh := range was.GetVirtualHosts() {
		before[vh.Name] = vh
	}
	for _, vh := range now.VirtualHosts {
		if old := before[vh.Name]; proto.Equal(old, vh) {
			some.VirtualHosts = append(some.VirtualHosts, &routev3.VirtualHost{Name: vh.Name, Domains: vh.Domains})
		} else {
			one := but(vh, "matcher")
			one.Matcher = branchesSince(old.GetMatcher(), vh.Matcher)
			some.VirtualHosts = append(some.VirtualHosts, one)
		}
	}
	return some
}

// branchesSince leaves out the branches that are the same as before, nil where there
// is nothing else.
func branchesSince(was, now *xdsmatcherv3.Matcher) *xdsmatcherv3.Matcher {
	tree := now.GetMatcherTree()
	if tree == nil {
		return now
	}
	rest := now.OnNoMatch
	if proto.Equal(rest, was.GetOnNoMatch()) {
		rest = nil
	}
	some := maps.Clone(tree.GetPrefixMatchMap().GetMap())
	maps.DeleteFunc(some, func(key string, then *xdsmatcherv3.Matcher_OnMatch) bool {
		return proto.Equal(was.GetMatcherTree().GetPrefixMatchMap().GetMap()[key], then)
	})
	switch {
	case len(some) > 0:
		return &xdsmatcherv3.Matcher{OnNoMatch: rest, MatcherType: prefixes(some)}
	case rest != nil:
		return onlyThen(rest)
	}
	return nil
}

// but is a message without one of its fields; what is in the others is shared.
func but[M proto.Message](m M, field protoreflect.Name) M {
	some := m.ProtoReflect().New()
	m.ProtoReflect().Range(func(f protoreflect.FieldDescriptor, v protoreflect.Value) bool {
		if f.Name() != field {
			some.Set(f, v)
		}
		return true
	})
	return some.Interface().(M)
}
