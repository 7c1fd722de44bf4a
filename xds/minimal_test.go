package xds

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protopath"
	"google.golang.org/protobuf/reflect/protorange"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/known/anypb"

	"usher/model"
)

// typesOf are what is packed into the resources of a file, short names, sorted. An
// Any is looked into as if it stood there itself.
func typesOf(t *testing.T, file string) []string {
	t.Helper()
	c, problems := model.Parse("cluster.yaml", []byte(file))
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	r := Translate(c, Material{})
	var all []string
	for _, k := range Kinds() {
		for _, name := range r.Names(k) {
			all = append(all, packed(t, r[k][name])...)
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

func packed(t *testing.T, m proto.Message) (all []string) {
	t.Helper()
	err := protorange.Range(m.ProtoReflect(), func(p protopath.Values) error {
		if v, ok := p.Index(-1).Value.Interface().(protoreflect.Message); ok {
			if a, ok := v.Interface().(*anypb.Any); ok {
				all = append(all, a.TypeUrl[strings.LastIndex(a.TypeUrl, "/")+1:])
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

const minimal = `
listeners: [{name: http, address: "0.0.0.0:8080", metrics: METRICS, routes: [{path: /, pool: app}]}]
pools: [{name: app, nodes: [{name: a, address: "192.0.2.1:80"}]}]
`

// What a file does not use costs nothing: no script, no access rules, no log, no
// counter, no session. The one that reads names from requests is there, so that a
// pool becomes sticky without a new listener, and no route enables it.
func TestWhatAFileDoesNotUseIsNotThere(t *testing.T) {
	want := []string{
		"envoy.config.route.v3.RouteList",
		"envoy.extensions.access_loggers.filters.cel.v3.ExpressionFilter", // of the answer to an escaped slash
		"envoy.extensions.filters.http.header_to_metadata.v3.Config",
		"envoy.extensions.filters.http.router.v3.Router",
		"envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
		"envoy.extensions.http.early_header_mutation.header_mutation.v3.HeaderMutation",
		"envoy.extensions.retry.host.previous_hosts.v3.PreviousHostsPredicate",
		"envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
		"envoy.type.matcher.v3.HttpRequestHeaderMatchInput",
	}
	got := typesOf(t, strings.ReplaceAll(minimal, "METRICS", "false"))
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	const counter = "envoy.extensions.access_loggers.stats.v3.Config"
	want = append(want, counter)
	slices.Sort(want)
	if diff := cmp.Diff(want, typesOf(t, strings.ReplaceAll(minimal, "METRICS", "true"))); diff != "" {
		t.Errorf("with metrics: -want +got\n%s", diff)
	}
}

func TestARouteWithoutSessionsEnablesNoFilter(t *testing.T) {
	s := socket{listeners: []model.Listener{{Metrics: model.Off, Routes: []model.Route{{Path: "/", Pool: "app"}}}}}
	for _, r := range s.forward(s.first(), s.first().Routes[0], poolOf("a"), nil) {
		if len(r.TypedPerFilterConfig)+len(r.Match.Headers)+len(r.Match.Cookies)+len(r.ResponseHeadersToAdd) > 0 || r.Name != "" || r.Metadata != nil {
			t.Errorf("%v", r)
		}
	}
}
