package xds

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	routev3 "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"
	"github.com/google/go-cmp/cmp"

	"usher/model"
)

// hashed is a pool of nodes a to f, of which some drain.
func hashed(drained ...string) model.Pool {
	p := model.Pool{Name: "app", Balance: model.RingHash, Sticky: []model.Sticky{{Cookie: &model.Cookie{Name: "ROUTE"}}}}
	for _, name := range []string{"a", "b", "c", "d", "e", "f"} {
		n := model.Node{Name: name, Weight: 1, State: model.Active}
		if slices.Contains(drained, name) {
			n.State = model.Drain
		}
		p.Nodes = append(p.Nodes, n)
	}
	return p
}

// match is the first route for a client with these cookies, as Envoy reads the
// matchers: all must hold, and none holds for a cookie that is not there.
func match(t *testing.T, routes []*routev3.Route, cookies map[string]string) *routev3.Route {
	t.Helper()
	for _, r := range routes {
		if !slices.ContainsFunc(r.Match.Cookies, func(m *routev3.CookieMatcher) bool { return !holds(t, m, cookies) }) {
			return r
		}
	}
	t.Fatalf("no route for %v", cookies)
	return nil
}

func holds(t *testing.T, m *routev3.CookieMatcher, cookies map[string]string) bool {
	t.Helper()
	value, ok := cookies[m.Name]
	switch {
	case m.InvertMatch:
		t.Fatalf("an inverted matcher, which this test does not know: %v", m)
	case m.StringMatch.GetContains() != "":
		return ok && strings.Contains(value, m.StringMatch.GetContains())
	case m.StringMatch.GetSafeRegex() != nil:
		return ok && regexp.MustCompile("^(?:"+m.StringMatch.GetSafeRegex().Regex+")$").MatchString(value)
	}
	t.Fatalf("a matcher that this test does not know: %v", m)
	return false
}

func table(p model.Pool) []*routev3.Route {
	s := socket{listeners: []model.Listener{{Metrics: model.Off}}}
	return s.forward(s.first(), model.Route{Path: "/", Pool: p.Name}, backend{Pool: p}, nil)
}

// newMark is the mark that a client with these cookies is given, "" for none.
func newMark(r *routev3.Route) string {
	for _, h := range r.ResponseHeadersToAdd {
		pair, _, _ := strings.Cut(h.Header.Value, ";")
		return strings.TrimPrefix(pair, "ROUTE-drain=")
	}
	return ""
}

// subsets of some names.
func powerset(names []string) [][]string {
	all := [][]string{nil}
	for _, n := range names {
		for _, s := range slices.Clone(all) {
			all = append(all, append(slices.Clone(s), n))
		}
	}
	return all
}

func common(a, b []string) (both []string) {
	for _, x := range a {
		if slices.Contains(b, x) {
			both = append(both, x)
		}
	}
	return both
}

func marking(nodes []string) map[string]string {
	cookies := map[string]string{"ROUTE": "1"}
	for _, n := range nodes {
		cookies["ROUTE-drain"] += "." + token(n)
	}
	return cookies
}

func TestAClientStaysOnTheRingWithoutWhatItsMarkNamesAndStillDrains(t *testing.T) {
	for _, drained := range powerset([]string{"a", "b", "c"}) {
		p := hashed(drained...)
		for _, marked := range powerset([]string{"a", "b", "c", "d"}) {
			got := match(t, table(p), marking(marked)).GetRoute().GetCluster()
			if want := ringName(p, common(marked, drained)); got != want {
				t.Errorf("%v drain, the mark names %v: ring %s, want %s", drained, marked, got, want)
			}
		}
	}
}

func TestANewClientIsKeptFromAllThatDrainsAndComesBackToItsRing(t *testing.T) {
	for _, drained := range [][]string{{"b"}, {"c", "a"}, {"a", "b", "c"}, {"a", "b", "c", "d"}, {"a", "b", "c", "d", "e"}} {
		p := hashed(drained...)
		for _, cookies := range []map[string]string{nil, {"ROUTE": ""}, {"ROUTE-drain": token("f")}} {
			first := match(t, table(p), cookies)
			second := match(t, table(p), map[string]string{"ROUTE": "1", "ROUTE-drain": newMark(first)})
			got := []string{first.GetRoute().GetCluster(), second.GetRoute().GetCluster()}
			if diff := cmp.Diff([]string{ringName(p, drained), ringName(p, drained)}, got); diff != "" {
				t.Errorf("%v drain, a client with %v: -want +got\n%s", drained, cookies, diff)
			}
		}
	}
}

func TestAMarkIsRenewedWithoutTheNodesThatNoLongerDrain(t *testing.T) {
	if got := newMark(match(t, table(hashed("b")), marking([]string{"a", "b", "c"}))); got != token("b") {
		t.Errorf("the mark is renewed as %q, want %q", got, token("b"))
	}
	if got := newMark(match(t, table(hashed("b")), marking(nil))); got != "" {
		t.Errorf("a client that came before the drain is marked %q", got)
	}
}

func TestEveryRouteOfADrainLeadsToARingThatIsThere(t *testing.T) {
	for _, drained := range powerset([]string{"a", "b", "c", "d", "e"}) {
		p := hashed(drained...)
		var there []string
		for _, ring := range rings(p) {
			there = append(there, ring.Name)
			if filePool(ring.Name) != "app" {
				t.Errorf("%s is a ring of %s, want app", ring.Name, filePool(ring.Name))
			}
		}
		for _, r := range table(p) {
			if c := r.GetRoute().GetCluster(); !slices.Contains(there, c) {
				t.Errorf("%v drain: no ring %s", drained, c)
			}
		}
		if len(there) > 1<<MaxDrains+1 {
			t.Errorf("%v drain: %d rings", drained, len(there))
		}
	}
}

func TestBeyondThreeDrainsTheFirstOfTheFileAreToldApart(t *testing.T) {
	p := hashed("a", "b", "c", "d")
	for _, c := range []struct{ marked, want []string }{
		{nil, nil},
		{[]string{"b"}, []string{"b"}},
		{[]string{"a", "b", "c"}, []string{"a", "b", "c"}},
		{[]string{"a", "d"}, []string{"a"}},
		{[]string{"a", "b", "c", "d"}, []string{"a", "b", "c", "d"}},
	} {
		if got := match(t, table(p), marking(c.marked)).GetRoute().GetCluster(); got != ringName(p, c.want) {
			t.Errorf("the mark names %v: ring %s, want %s", c.marked, got, ringName(p, c.want))
		}
	}
}

func TestAnotherDrainLeavesTheRingsAsTheyAre(t *testing.T) {
	one := Translate(&model.Cluster{Pools: []model.Pool{hashed("b")}}, Material{})
	two := Translate(&model.Cluster{Pools: []model.Pool{hashed("a", "b")}}, Material{})
	for _, k := range []Kind{Clusters, Endpoints} {
		for _, name := range one.Names(k) {
			if two[k][name] == nil || version(pack(one[k][name]).Value) != version(pack(two[k][name]).Value) {
				t.Errorf("the %s %s change when a second node begins to drain", k, name)
			}
		}
	}
}

func TestNothingOfItIsThereWhileNobodyDrains(t *testing.T) {
	p := hashed()
	routes := table(p)
	if len(rings(p)) != 1 || len(routes) != 1 || len(routes[0].Match.Cookies) != 0 || newMark(routes[0]) != "" {
		t.Errorf("rings %v, routes %v", rings(p), routes)
	}
}
