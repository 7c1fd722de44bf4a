package main

import (
	"testing"

	"usher/model"
	"usher/xds"
)

func TestARingIsBlamedOnItsPoolAndOnNoNamesake(t *testing.T) {
	c := &model.Cluster{Pools: []model.Pool{{Name: "isNode2"}, {Name: "without"}, {Name: "identity"}}}
	for _, words := range []string{
		"Error adding/updating cluster(s) identity: no such thing",
		"Error adding/updating cluster(s) identity/without+isNode2: no such thing",
		"Error adding/updating cluster(s) identity/without+isNode1+isNode2: no such thing",
	} {
		if got := culprit(c, xds.Refusal{Kind: "clusters", Words: words}); got != "pools[2].name" {
			t.Errorf("%s: blamed on %q, want pools[2].name", words, got)
		}
	}
}

func TestMoreDrainsThanAreToldApartAreWarnedOf(t *testing.T) {
	p := model.Pool{Name: "app", Balance: model.Maglev, Sticky: []model.Sticky{{Cookie: &model.Cookie{Name: "ROUTE"}}}}
	for i, want := range []int{0, 0, 0, 1} {
		p.Nodes = append(p.Nodes, model.Node{Name: string(rune('a' + i)), State: model.Drain})
		if got := warnings(&model.Cluster{Pools: []model.Pool{p}}, nil); len(got) != want {
			t.Errorf("%d nodes drain: %q, want %d warnings", i+1, got, want)
		}
	}
}
