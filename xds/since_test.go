package xds_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	endpointv3 "github.com/envoyproxy/go-control-plane/envoy/config/endpoint/v3"
	routev3 "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"

	"usher/envoy"
	"usher/model/sample"
	"usher/xds"
)

// sinceOf is what Envoy is asked about a change of a file of three pools.
func sinceOf(t *testing.T, change func(text string) string) xds.Resources {
	t.Helper()
	text := sample.File{Pools: 3, Each: 4}.Text()
	was, is := parsed(t, text), parsed(t, change(text))
	return xds.Translate(is, material(t, is)).Since(xds.Translate(was, material(t, was)))
}

func TestEnvoyIsAskedAboutWhatHasChanged(t *testing.T) {
	binary, err := envoy.Find("../.tools/envoy")
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		change func(text string) string
		want   string
	}{
		"a weight": {func(text string) string { return sample.Reweigh(text, "p1n1", 7) }, ""},
		"a pool": {func(text string) string {
			return strings.Replace(text, "- name: p1\n", "- name: p1\n    connect_timeout: 2s\n", 1)
		}, "clusters p1, endpoints p1"},
		"a route": {func(text string) string { return strings.Replace(text, "pool: p1}", "pool: p1, timeout: 7s}", 1) }, "secrets server, listeners https, routes https with /p1"},
		"a node less": {func(text string) string {
			return strings.Replace(text, "      - {name: p1n1, address: 127.0.0.6:9443, weight: 1}\n", "", 1)
		}, "secrets server, listeners https, routes https with /p1"},
		"a path for all": {func(text string) string {
			return strings.Replace(text, "    routes:\n", "    routes:\n      - {exact: /x, deny: true}\n", 1)
		}, "secrets server, listeners https, routes https with /p0 /p1 /p2"},
		"a log": {func(text string) string {
			return strings.Replace(text, "    routes:\n", "    access_log: {}\n    routes:\n", 1)
		}, "secrets server, listeners https, routes https with /p0 /p1 /p2"},
		"another host": {func(text string) string { return strings.Replace(text, "hosts: [localhost]", "hosts: [elsewhere]", 1) }, "secrets server, listeners https, routes https with"},
	} {
		t.Run(name, func(t *testing.T) {
			some := sinceOf(t, c.change)
			if got := inWords(some); got != c.want {
				t.Errorf("asked about %q, want %q", got, c.want)
			}
			if err := envoy.Validate(t.Context(), binary, some.Static()); err != nil {
				t.Error(err)
			}
		})
	}
}

// inWords names resources, and the branches of tables.
func inWords(r xds.Resources) string {
	var all []string
	for _, k := range xds.Kinds() {
		for _, name := range r.Names(k) {
			text := k.String() + " " + name
			if table, ok := r[k][name].(*routev3.RouteConfiguration); ok {
				text += " with"
				for _, key := range []string{"/p0", "/p1", "/p2"} {
					if _, ok := table.VirtualHosts[0].Matcher.GetMatcherTree().GetPrefixMatchMap().GetMap()[key]; ok {
						text += " " + key
					}
				}
			}
			all = append(all, text)
		}
	}
	return strings.Join(all, ", ")
}

func TestOneNodeOfEachPriorityIsAskedAbout(t *testing.T) {
	some := sinceOf(t, func(text string) string {
		text = strings.ReplaceAll(text, "sticky: {jvm_route: JSESSIONID}", "balance: random")
		return strings.ReplaceAll(text, "n3, address: 127.0.0.4:9443, weight: 1}", "n3, address: 127.0.0.4:9443, weight: 1, state: standby}")
	})
	var nodes []string
	for _, l := range some[xds.Endpoints]["p0"].(*endpointv3.ClusterLoadAssignment).Endpoints {
		nodes = append(nodes, fmt.Sprint(l.Priority, len(l.LbEndpoints)))
	}
	if got := strings.Join(nodes, ", "); got != "0 1, 1 1" {
		t.Errorf("priorities and nodes: %s", got)
	}
}

func TestWhatIsAskedAboutHasStillItsFaults(t *testing.T) {
	binary, err := envoy.Find("../.tools/envoy")
	if err != nil {
		t.Fatal(err)
	}
	some := sinceOf(t, func(text string) string {
		return strings.Replace(text, "    routes:\n", "    access_log: {file: /nowhere/at/all.log}\n    routes:\n", 1)
	})
	if !bytes.Contains(some.Static(), []byte("/nowhere/at/all.log")) {
		t.Error("the log is left out")
	}
	if err := envoy.Validate(t.Context(), binary, some.Static()); err == nil {
		t.Error("Envoy takes a log that it can't open")
	}
}
