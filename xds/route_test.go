package xds

import (
	"testing"

	routev3 "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"
	"github.com/google/go-cmp/cmp"

	"usher/model"
)

// tableOf are the routes of a listener as Envoy tries them.
func tableOf(routes ...model.Route) (all []*routev3.Route) {
	s := socket{listeners: []model.Listener{{Metrics: model.Off, Routes: routes}}, pools: map[string]backend{"app": {Pool: model.Pool{Name: "app"}}}}
	t, old := s.pathTable(s.first())
	for _, e := range s.entries(s.first(), t, old) {
		all = append(all, e.made().all...)
	}
	return all
}

// reaches tells whether a request for a path comes to a node.
func reaches(table []*routev3.Route, path string) bool {
	for _, r := range table {
		if r.Match.GetPrefix() == "/" || fullMatch(r.Match.GetSafeRegex().GetRegex(), path) {
			return r.GetRoute() != nil
		}
	}
	return false
}

func TestNoPathClimbsOutOfItsRoute(t *testing.T) {
	for name, routes := range map[string][]model.Route{
		"the only paths":      {{Path: "/app", Pool: "app"}},
		"one application":     {{Exact: "/other", Pool: "app"}, {Path: "/", Pool: "app"}},
		"an expression":       {{Regex: ".*", Pool: "app"}},
		"all, elsewhere":      {{Path: "/", Pool: "app", Rewrite: "/app"}},
		"beside a closed one": {{Path: "/carbon", Deny: true}, {Path: "/", Pool: "app"}},
	} {
		table := tableOf(routes...)
		if !reaches(table, "/app") {
			t.Errorf("%s: /app reaches nobody", name)
		}
		for _, path := range []string{"/app/..;/manager", "/app/..;x=1/manager", "/app/x/.;/..;/..;/manager", "/app/;/..;/manager"} {
			if reaches(table, path) {
				t.Errorf("%s: %s reaches a node, which reads it as /manager", name, path)
			}
		}
	}
}

func TestWhereAllIsOpenNoPathIsLookedAt(t *testing.T) {
	if got := tableOf(model.Route{Path: "/", Pool: "app"}); len(got) != 1 || got[0].Match.GetPrefix() != "/" {
		t.Errorf("%v", got)
	}
}

func TestARouteIsFoundByItsFirstSegment(t *testing.T) {
	got := map[string]string{}
	for _, r := range []model.Route{
		{Path: "/"}, {Path: "/app"}, {Path: "/app/x"}, {Path: "/app/"}, {Path: "/*/x"}, {Path: "/a*/x"}, {Exact: "/"}, {Exact: "/alive"}, {Regex: "/app"},
	} {
		got[r.Path+" "+r.Exact+" "+string(r.Regex)] = firstSegment(r)
	}
	want := map[string]string{
		"/  ": "", "/app  ": "/app", "/app/x  ": "/app", "/app/  ": "/app", "/*/x  ": "", "/a*/x  ": "", " / ": "", " /alive ": "/alive", "  /app": "",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
}
