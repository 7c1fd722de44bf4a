package xds

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestWhatBecameOfARequest(t *testing.T) {
	for _, c := range []struct {
		seat, asked, node string // the counter's tags
		want              Outcome
	}{
		{"app/known/a", "-", "a", Outcome{Pool: "app", Node: "a", Asked: "a", Outcome: "sticky"}},
		{"app/known/a", "b", "b", Outcome{Pool: "app", Node: "b", Asked: "a", Outcome: "failover"}},
		{"app/known", "a", "a", Outcome{Pool: "app", Node: "a", Asked: "a", Outcome: "sticky"}},
		{"app/known", "a", "b", Outcome{Pool: "app", Node: "b", Asked: "a", Outcome: "failover"}},
		{"app/conflict", "a", "a", Outcome{Pool: "app", Node: "a", Asked: "a", Outcome: "sticky", Conflict: true}},
		{"app/conflict", "a", "b", Outcome{Pool: "app", Node: "b", Asked: "a", Outcome: "failover", Conflict: true}},
		{"app/conflict", "a", "-", Outcome{Pool: "app", Asked: "a", Outcome: "unserved", Conflict: true}},
		{"app/known/a", "-", "-", Outcome{Pool: "app", Asked: "a", Outcome: "unserved"}},
		{"app/new", "-", "", Outcome{Pool: "app", Outcome: "unserved"}},
		{"app/new", "-", "a", Outcome{Pool: "app", Node: "a", Outcome: "new"}},
		{"app/drained/b", "-", "a", Outcome{Pool: "app", Node: "a", Asked: "b", Outcome: "drained"}},
		{"app/unknown-route", "zz", "a", Outcome{Pool: "app", Node: "a", Asked: "zz", Outcome: "unknown-route"}},
		{"app/known", "/unknown-route", "a", Outcome{Pool: "app", Node: "a", Outcome: "unknown-route"}},
		{"app/known", "b/drained", "a", Outcome{Pool: "app", Node: "a", Asked: "b", Outcome: "drained"}},
		{"app/known", "a/conflict", "a", Outcome{Pool: "app", Node: "a", Asked: "a", Outcome: "sticky", Conflict: true}},
		{"app/known", "/new", "-", Outcome{Pool: "app", Outcome: "unserved"}},
		{"app/hash", "-", "a", Outcome{Pool: "app", Node: "a", Outcome: "hash"}},
		{"app/none", "-", "a", Outcome{Pool: "app", Node: "a", Outcome: "none"}},
		{"-", "-", "-", Outcome{}},
		{"", "", "", Outcome{}},
	} {
		if diff := cmp.Diff(c.want, OutcomeOf(c.seat, c.asked, c.node)); diff != "" {
			t.Errorf("%s asked %s served by %s: -want +got\n%s", c.seat, c.asked, c.node, diff)
		}
	}
}
