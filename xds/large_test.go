package xds

import (
	"fmt"
	"net/http"
	"net/netip"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"usher/model"
)

// crowd is a pool of these nodes and so many more, that are active.
func crowd(others int, nodes string, sticky ...model.Sticky) backend {
	b := poolOf(nodes, sticky...)
	for i := range others {
		b.Nodes = append(b.Nodes, model.Node{Name: fmt.Sprint("other", i), State: model.Active, Weight: 1})
	}
	for i := range b.Nodes {
		b.Nodes[i].Address = model.Address{Host: fmt.Sprintf("10.0.%d.%d", i>>8, i&255), Port: 9443}
	}
	return b
}

func TestWhatNamesOfALargePoolStandFor(t *testing.T) {
	b := crowd(0, "a b:drain c:disabled d:disabled>a e>a f", byCookie)
	b.Nodes[5].Address = b.Nodes[0].Address
	got := map[string]any{}
	b.standFor(Material{}, got)
	want := map[string]any{"app/a": "10.0.0.0:9443", "app/b": "10.0.0.1:9443", "app/c": "drained", "app/d": "- a", "app/e": "10.0.0.4:9443 a", "app/f": "-"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
}

func TestALargePoolHasASeatForEachWayToNameANode(t *testing.T) {
	const tiers = "@active @standby"
	want := []string{"known: ? " + tiers, "known: ? " + tiers, "known: ? " + tiers, "new: " + tiers}
	s := seating{backend: crowd(scriptNodes, "a b>a", byBoth, byOwn), told: true, strict: true}
	if diff := cmp.Diff(want, seatsOf(s)); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	if plan, want := s.plan(), "pool app\ntiers "+tiers+"\nstrict\npath sid .\ncookie SID .\ncookie ROUTEID ."; plan != want {
		t.Errorf("the plan is %q, want %q", plan, want)
	}
}

// subsetsIn counts the names that endpoints answer to.
func subsetsIn(b backend) int {
	names := map[string]bool{}
	for _, l := range b.endpoints(Material{}).Endpoints {
		for _, e := range l.LbEndpoints {
			for _, v := range e.Metadata.GetFilterMetadata()[lbNamespace].GetFields()[routeKey].GetListValue().GetValues() {
				names[v.GetStringValue()] = true
			}
		}
	}
	return len(names)
}

func TestNodesOfAVeryLargePoolHaveNoSubsetUnlessTheyStandIn(t *testing.T) {
	if n := subsetsIn(crowd(subsetNodes-3, "a b:drain c>a", byCookie)); n != subsetNodes+1 {
		t.Errorf("%d subsets where each node has one", n)
	}
	b := crowd(subsetNodes, "a b:drain c>a", byCookie)
	if n := subsetsIn(b); n != 2 {
		t.Errorf("%d subsets, want those of the tier and the node that stands in", n)
	}
	if n := len(b.endpoints(Material{}).Endpoints[0].LbEndpoints); n != subsetNodes+3 {
		t.Errorf("%d endpoints of %d nodes", n, subsetNodes+3)
	}
}

func TestExplainReadsNamesAsTheScriptDoes(t *testing.T) {
	for _, c := range []struct{ by, path, cookie, want string }{
		{"jsessionid .", "/x;jsessionid=A.n1;jsessionid=B.n2/y;z=1;jsessionid=C.n3?;jsessionid=D.n4", "", "n1 n2 n3"},
		{"jsessionid .", "/x;jsessionid=A;jsessionid=.n1/y", "", "n1"},
		{"sid /", "/x;sid=A/n1/y", "", "n1"},
		{"SID .", "", `SID=A.n1; x=y;SID="B.n2" , SID=C.n3 ; XSID=D.n4`, "n1 n2 n3"},
		{"SID .", "", "SID=A; SID=B.; SID=C.x.y", "x.y"},
		{"SID", "", "SID=n1", "n1"},
		{"SID ,", "", "SID=a,n1; SID=b", "n1"},
	} {
		name, separator, _ := strings.Cut(c.by, " ")
		x := &explainer{q: Request{Path: c.path, Header: http.Header{"Cookie": {c.cookie}}}}
		if got := strings.Join(x.mentions(source{name, c.path != "", separator}), " "); got != c.want {
			t.Errorf("%s in %s%s: %q, want %q", c.by, c.path, c.cookie, got, c.want)
		}
	}
}

func TestExplainOfALargePool(t *testing.T) {
	b := crowd(scriptNodes, "a b:drain c:disabled d:disabled>a", byBoth)
	b.Health, b.OnFailure = model.Health{}, model.Failover
	c := &model.Cluster{Pools: []model.Pool{b.Pool}, Listeners: []model.Listener{{Name: "http", Hosts: []string{"*"},
		Address: model.Address{Host: "127.0.0.1", Port: 8080}, Routes: []model.Route{{Path: "/strict", Pool: "app", OnFailure: model.Error}, {Path: "/", Pool: "app"}}}}}
	for _, x := range []struct{ path, cookie, outcome, asked, first string }{
		{"/", "SID=A.b", "sticky", "b", "b"},
		{"/", "SID=A.c", "drained", "c", "other0"},
		{"/", "SID=A.d", "failover", "d", "a"},
		{"/", "SID=A.gone", "unknown-route", "gone", "other0"},
		{"/x;sid=A.gone", "SID=A.b", "sticky", "b", "b"},
		{"/", "SID=A.a", "failover", "a", "other0"},
		{"/strict", "SID=A.a", "unserved", "a", ""},
		{"/strict", "SID=A.c", "drained", "c", "other0"},
	} {
		dead := x.first != "a"
		e := Explain(c, Material{}, func(n NodeOf) Sight { return Sight{Healthy: n.Node != "a" || !dead} },
			Request{Host: "x", Port: 8080, Path: x.path, Header: http.Header{"Cookie": {x.cookie}}, From: netip.MustParseAddr("192.0.2.1")})
		first := ""
		if len(e.Nodes) > 0 {
			first = e.Nodes[0]
		}
		if e.Outcome != x.outcome || e.Asked != x.asked || first != x.first {
			t.Errorf("%s with %s: %s of %s by %s, want %s of %s by %s", x.path, x.cookie, e.Outcome, e.Asked, first, x.outcome, x.asked, x.first)
		}
	}
}
