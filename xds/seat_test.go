package xds

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"usher/model"
)

// nodesOf reads NAME[:STATE][@SET][>REDIRECT].
func nodesOf(text string) (all []model.Node) {
	for word := range strings.FieldsSeq(text) {
		n := model.Node{State: model.Active, Weight: 1}
		word, n.Redirect, _ = strings.Cut(word, ">")
		word, set, ranked := strings.Cut(word, "@")
		if ranked {
			_, _ = fmt.Sscan(set, &n.Set)
		}
		name, state, said := strings.Cut(word, ":")
		if n.Name = name; said {
			n.State = model.State(state)
		}
		all = append(all, n)
	}
	return all
}

// pools of these nodes, by what keeps a session.
func poolOf(nodes string, sticky ...model.Sticky) backend {
	return backend{Pool: model.Pool{Name: "app", Balance: model.RoundRobin, Nodes: nodesOf(nodes), Sticky: sticky}}
}

var (
	byCookie = model.Sticky{JVMRoute: "SID", PathParameter: model.NoText, Separator: "."}
	byBoth   = model.Sticky{JVMRoute: "SID", PathParameter: "sid", Separator: "."}
	byOwn    = model.Sticky{RouteCookie: &model.RouteCookie{Name: "ROUTEID", SameSite: model.SameSiteLax}}
)

// order of names in which a request of the seat looks for its node; ? is what a
// filter reads.
func (s seat) order() string {
	lb := s.wants.GetFilterMetadata()[lbNamespace].GetFields()
	names := []string{lb[routeKey].GetStringValue()}
	if names[0] == "" {
		names[0] = "?"
	}
	for _, f := range lb[fallbackKey].GetListValue().GetValues()[1:] {
		names = append(names, f.GetStructValue().GetFields()[routeKey].GetStringValue())
	}
	return strings.Join(names, " ")
}

func seatsOf(s seating) (all []string) {
	for _, seat := range s.seats() {
		all = append(all, strings.TrimSpace(seat.outcome+" "+seat.asked)+": "+seat.order())
	}
	return all
}

func TestASeatForEachKindOfRequest(t *testing.T) {
	const tiers = "@active @standby"
	many := "a b c d e f g h"
	for name, c := range map[string]struct {
		seating
		want []string
	}{
		"by a cookie":   {seating{backend: poolOf("a b", byCookie)}, []string{"known a: a " + tiers, "known b: b " + tiers, "conflict: ? " + tiers, "new: " + tiers}},
		"by a path too": {seating{backend: poolOf("a", byBoth)}, []string{"known: ? " + tiers, "known a: a " + tiers, "conflict: ? " + tiers, "new: " + tiers}},
		"by two cookies": {seating{backend: poolOf("a", byCookie, byOwn)},
			[]string{"known a: a " + tiers, "known a: a " + tiers, "conflict: ? " + tiers, "known a: a " + tiers, "conflict: ? " + tiers, "new: " + tiers}},
		"strictly": {seating{backend: poolOf("a b>a", byCookie), strict: true}, []string{"known a: a", "known b: b a", "conflict: ?", "conflict: ? a", "new: " + tiers}},
		"told": {seating{backend: poolOf("a b:disabled c:disabled>a", byCookie), told: true},
			[]string{"conflict: ? " + tiers, "conflict: ? a " + tiers, "known a: a " + tiers, "known c: c a " + tiers, "drained b: " + tiers, "unknown-route: " + tiers, "new: " + tiers}},
		"untold":  {seating{backend: poolOf("a b:disabled", byCookie)}, []string{"known a: a " + tiers, "conflict: ? " + tiers, "new: " + tiers}},
		"of many": {seating{backend: poolOf(many+" i>a", byCookie)}, []string{"known: ? " + tiers, "known: ? a " + tiers, "conflict: ? " + tiers, "conflict: ? a " + tiers, "new: " + tiers}},
	} {
		if diff := cmp.Diff(c.want, seatsOf(c.seating)); diff != "" {
			t.Errorf("%s: -want +got\n%s", name, diff)
		}
	}
	if got := len(seatsOf(seating{backend: poolOf(many, byCookie)})); got != 1+tableNodes+1 {
		t.Errorf("%d seats for as many nodes as have one each", got)
	}
}

func TestWhoStandsInForANode(t *testing.T) {
	for nodes, want := range map[string]string{
		"a b":           "",
		"a>b b c":       "b",
		"a>b b>c c":     "b c",
		"a>b b>a":       "b a",
		"a>b b>c c>b":   "b c",
		"a>b b>c c>d d": "b c d",
		"a>gone b":      "gone",
		"a>b b:drain":   "b",
		"a>b b:standby": "b",
	} {
		p := poolOf(nodes).Pool
		if got := strings.Join(redirects(p, p.Nodes[0]), " "); got != want {
			t.Errorf("%s: %q stand in for a, want %q", nodes, got, want)
		}
	}
}

func TestNodesAreGroupedByTheirStandIns(t *testing.T) {
	p := poolOf("a b>a c d:disabled e:disabled>a f>a").Pool
	for alone, want := range map[bool]string{
		false: "[{[a c] []} {[b e f] [a]}]",
		true:  "[{[a] []} {[b] [a]} {[c] []} {[e] [a]} {[f] [a]}]",
	} {
		if got := fmt.Sprint(groupsOf(p, alone)); got != want {
			t.Errorf("alone %v: %s, want %s", alone, got, want)
		}
	}
}
