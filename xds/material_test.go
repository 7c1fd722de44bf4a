package xds

import (
	"net/netip"
	"slices"
	"testing"

	endpointv3 "github.com/envoyproxy/go-control-plane/envoy/config/endpoint/v3"
	"github.com/google/go-cmp/cmp"

	"usher/model"
)

// What is found out beside the file: names, and nodes that ask to be drained.
func TestWhatIsFoundOutCountsForANode(t *testing.T) {
	p := poolOf("a b c d", byCookie)
	for i := range p.Nodes {
		p.Nodes[i].Address = model.Address{Host: p.Nodes[i].Name + ".internal", Port: 80}
	}
	ip := netip.MustParseAddr("192.0.2.1")
	m := Material{
		IPs: map[model.Address]netip.Addr{
			p.Nodes[0].Address: ip, p.Nodes[1].Address: ip.Next(), p.Nodes[2].Address: ip, // d has none
		},
		Draining: map[NodeOf]bool{{"app", "b"}: true, {"other", "a"}: true},
		Closing:  map[NodeOf]bool{{"app", "b"}: true, {"other", "a"}: true},
	}
	r := Translate(&model.Cluster{Pools: []model.Pool{p.Pool}}, m)
	got := map[string][]string{}
	for _, l := range r[Endpoints]["app"].(*endpointv3.ClusterLoadAssignment).Endpoints {
		for _, e := range l.LbEndpoints {
			got[nodeName(e)] = said(e)
		}
	}
	// c has the address of a, which the first of the file keeps.
	if diff := cmp.Diff(map[string][]string{"a": {"a", "@active"}, "b": {"b", "closing"}}, got); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	if i := slices.IndexFunc(p.Nodes, func(n model.Node) bool { return n.State != model.Active }); i >= 0 {
		t.Errorf("the file's own node %s is changed", p.Nodes[i].Name)
	}
}

func nodeName(e *endpointv3.LbEndpoint) string {
	return e.Metadata.FilterMetadata[usherNamespace].Fields[nodeKey].GetStringValue()
}

// said are the names that an endpoint answers to, and whether it is closing.
func said(e *endpointv3.LbEndpoint) (all []string) {
	for _, v := range e.Metadata.FilterMetadata[lbNamespace].Fields[routeKey].GetListValue().Values {
		all = append(all, v.GetStringValue())
	}
	if e.Metadata.FilterMetadata[socketMatch].GetFields()[closingKey].GetBoolValue() {
		all = append(all, "closing")
	}
	return all
}
