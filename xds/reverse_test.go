package xds

import (
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"usher/model"
)

func TestWhatANodesPathsAreCalledOutside(t *testing.T) {
	p := model.Pool{Name: "app"}
	for name, c := range map[string]struct {
		by   model.Route
		want string
	}{
		"as it is":           {model.Route{Path: "/app", Pool: "app"}, "/app=/app"},
		"exact":              {model.Route{Exact: "/one", Pool: "app", Rewrite: "/two"}, "/two=/one"},
		"rewritten":          {model.Route{Path: "/app", Pool: "app", Rewrite: "/inner"}, "/inner=/app"},
		"to the root":        {model.Route{Path: "/app", Pool: "app", Rewrite: "/"}, "/=/app/"},
		"below, to the root": {model.Route{Path: "/app/", Pool: "app", Rewrite: "/"}, "/=/app/"},
		"any segment":        {model.Route{Path: "/t/*/x", Pool: "app"}, "/=/"},
		"an expression":      {model.Route{Regex: "/a|/b", Pool: "app"}, "/=/"},
		"expression, moved":  {model.Route{Regex: "/a", Pool: "app", Rewrite: "/b"}, ""},
		"another pool":       {model.Route{Path: "/app", Pool: "other"}, ""},
	} {
		l := model.Listener{Routes: []model.Route{{Path: "/later", Pool: "app", Rewrite: "/x"}, {Path: "/o", Pool: "other"}}}
		var got []string
		for _, e := range outside(l, c.by, p) {
			e := e.(map[string]any)
			got = append(got, fmt.Sprintf("%v=%v", e["from"], e["to"]))
		}
		if want := strings.TrimSpace(c.want + " /x=/later"); strings.Join(got, " ") != want {
			t.Errorf("%s: %v, want %s", name, got, want)
		}
	}
}

func TestNamesByWhichNodesKnowThemselves(t *testing.T) {
	at := model.Address{Host: "A.internal", Port: 9443}
	p := model.Pool{Name: "app", Nodes: []model.Node{{Name: "a", Address: at}}, Reverse: &model.Reverse{Hosts: []string{"Is.internal", "other:8080", "[2001:db8::9]", "www.example.org"}}}
	m := Material{Names: map[model.Address][]netip.Addr{at: {netip.MustParseAddr("2001:db8::1")}}}
	s := m.site(model.Listener{Hosts: []string{"www.example.org"}}, model.Route{Path: "/", Pool: "app"}, p).AsMap()
	for key, want := range map[string][]string{
		"hosts": {"2001:db8::1", "2001:db8::9", "a.internal", "is.internal", "other"},
		"nodes": {
			"[2001:db8::1]:9443", "[2001:db8::9]:443", "[2001:db8::9]:80", "[2001:db8::9]:9443", "a.internal:9443",
			"is.internal:443", "is.internal:80", "is.internal:9443", "other:8080",
			"www.example.org:443", "www.example.org:80", "www.example.org:9443",
		},
	} {
		if diff := cmp.Diff(want, slices.Sorted(maps.Keys(s[key].(map[string]any)))); diff != "" {
			t.Errorf("%s: -want +got\n%s", key, diff)
		}
	}
}
