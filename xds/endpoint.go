package xds

import (
	"cmp"
	"math"
	"net/netip"
	"strings"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	endpointv3 "github.com/envoyproxy/go-control-plane/envoy/config/endpoint/v3"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"usher/model"
)

// onlyWhenNone is an overprovisioning_factor with which a lower priority serves
// only when the one above has no healthy node at all: Envoy's default of 140
// would call a standby as soon as three of ten nodes are down.
const onlyWhenNone = 1_000_000

// weightUnits is what Envoy is told for a weight of 1: it knows whole numbers
// alone, and the smallest weight of the file is 0.01.
const weightUnits = 100

func lbWeight(n model.Node) uint32 { return uint32(math.Round(float64(n.Weight) * weightUnits)) }

// endpoints are a backend's nodes. Their states are data here: every change of a
// node is one push of this resource and cuts nobody.
func (b backend) endpoints(m Material) *endpointv3.ClusterLoadAssignment {
	a := &endpointv3.ClusterLoadAssignment{ClusterName: b.Name}
	var byPriority [3][]*endpointv3.LocalityLbEndpoints
	seen := map[netip.AddrPort]bool{}
	last := 0
	standIns := b.standIns()
	for _, n := range b.Nodes {
		at, ok := locate(n.Address, m.IPs)
		names := b.answersTo(n)
		if !ok || seen[at] || len(names) == 0 {
			continue
		}
		seen[at] = true // Envoy knows a host by its address: the first node of the file keeps it
		if b.bare() {
			names = withSubsets(names, standIns)
		}
		i := int(b.priority(n))
		last = max(last, i)
		byPriority[i] = b.place(n, byPriority[i], b.endpoint(n, at, names, m))
	}
	for i, of := range byPriority[:last+1] {
		if len(of) == 0 { // Envoy wants no gap
			of = []*endpointv3.LocalityLbEndpoints{{Priority: uint32(i)}}
		}
		a.Endpoints = append(a.Endpoints, of...)
	}
	if last > 0 {
		a.Policy = &endpointv3.ClusterLoadAssignment_Policy{OverprovisioningFactor: wrapperspb.UInt32(b.overprovisioning())}
	}
	return a
}

// overprovisioning is how many percent of the share of failed nodes those that are
// left take over, before a lower priority does: all of it without spares.
func (b backend) overprovisioning() uint32 {
	if b.spares() {
		return 100
	}
	return onlyWhenNone
}

// place puts an endpoint beside the others of its priority, on a ring in a
// locality of its own. Envoy builds a ring of the healthy nodes, but shares its
// points out by the weights of all localities, also of one whose node is dead:
// the others keep theirs. Without localities 30 of 239 clients of living nodes
// moved when one of three nodes died.
func (b backend) place(n model.Node, all []*endpointv3.LocalityLbEndpoints, e *endpointv3.LbEndpoint) []*endpointv3.LocalityLbEndpoints {
	alone := b.Balance == model.RingHash
	if !alone && len(all) > 0 {
		all[0].LbEndpoints = append(all[0].LbEndpoints, e)
		return all
	}
	l := &endpointv3.LocalityLbEndpoints{LbEndpoints: []*endpointv3.LbEndpoint{e}, Priority: b.priority(n)}
	if alone {
		l.Locality, l.LoadBalancingWeight = &corev3.Locality{SubZone: n.Name}, e.LoadBalancingWeight
	}
	return append(all, l)
}

// locate finds where a node is: its IP address, or what its name resolves to.
func locate(a model.Address, ips map[model.Address]netip.Addr) (netip.AddrPort, bool) {
	ip := a.IP()
	if !ip.IsValid() {
		ip = ips[a]
	}
	return netip.AddrPortFrom(ip, a.Port), ip.IsValid()
}

func (b backend) endpoint(n model.Node, at netip.AddrPort, names []string, m Material) *endpointv3.LbEndpoint {
	e := &endpointv3.Endpoint{Address: socketAddress(at.Addr().String(), at.Port())}
	switch {
	case b.Host == model.HostNode && ownPort(b.Pool):
		e.Hostname = hostHeader(b.Pool, n.Address)
	case b.Host == model.HostNode, !n.Address.IP().IsValid():
		e.Hostname = n.Address.Host // the SNI, see upstreamTLS
	}
	if b.Health.Path != "" {
		// The Host header of the check, otherwise the pool's name.
		e.HealthCheckConfig = &endpointv3.Endpoint_HealthCheckConfig{Hostname: cmp.Or(b.Health.Host, HostOf(n))}
	}
	lb := &endpointv3.LbEndpoint{
		HostIdentifier:      &endpointv3.LbEndpoint_Endpoint{Endpoint: e},
		LoadBalancingWeight: wrapperspb.UInt32(lbWeight(n)),
		Metadata:            metadata(usherNamespace, b.says(n)),
	}
	if b.ranked() && len(names) > 0 {
		proto.Merge(lb.Metadata, metadata(lbNamespace, map[string]any{routeKey: list(names)}))
	}
	if m.Closing[NodeOf{filePool(b.Name), n.Name}] {
		proto.Merge(lb.Metadata, metadata(socketMatch, map[string]any{closingKey: true}))
	}
	return lb
}

// HostOf is what a node is called in a Host header where nobody says otherwise.
func HostOf(n model.Node) string {
	if strings.Contains(n.Address.Host, ":") {
		return "[" + n.Address.Host + "]"
	}
	return n.Address.Host
}

// says is what log, counters and cookies need to know of a node.
func (b backend) says(n model.Node) map[string]any {
	said := map[string]any{nodeKey: n.Name}
	if c := b.RouteCookie(); c != nil {
		said[setKey] = routeCookie(*c, n.Name, false)
		said[setSecureKey] = routeCookie(*c, n.Name, true)
	}
	return said
}
