package xds

import (
	"strings"
	"testing"
	"time"

	statussvc "github.com/envoyproxy/go-control-plane/envoy/service/status/v3"
	matcherv3 "github.com/envoyproxy/go-control-plane/envoy/type/matcher/v3"
	"google.golang.org/grpc/codes"
	grpcstatus "google.golang.org/grpc/status"
)

// clientStatus asks the service, and sums up each resource of the first Envoy as
// "kind/name status".
func (f fixture) clientStatus(t *testing.T, req *statussvc.ClientStatusRequest) (clients int, said string) {
	t.Helper()
	out, err := statussvc.NewClientStatusDiscoveryServiceClient(f.conn).FetchClientStatus(t.Context(), req)
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	if len(out.GetConfig()) == 0 {
		return 0, ""
	}
	for _, r := range out.GetConfig()[0].GetGenericXdsConfigs() {
		k, _ := kindOf(r.GetTypeUrl())
		text := k.String() + "/" + r.GetName() + " " + r.GetClientStatus().String() + " " + r.GetErrorState().GetDetails()
		all = append(all, strings.TrimSpace(text))
		if strings.Contains(string(r.GetXdsConfig().GetValue()), "the private key") {
			t.Error("a private key is shown")
		}
	}
	return len(out.GetConfig()), strings.Join(all, "\n")
}

func TestTheStatusServiceTellsWhoHasWhat(t *testing.T) {
	f := serve(t, true)
	f.Publish(translated(pool("a", 1)), time.Now())
	p := f.proxy(t)
	p.start(f)
	const good = "clusters/a ACKED\nendpoints/a ACKED\nsecrets/server ACKED\nlisteners/https ACKED\nroutes/https "
	if n, said := f.clientStatus(t, &statussvc.ClientStatusRequest{}); n != 1 || said != good+"ACKED" {
		t.Errorf("%d clients:\n%s", n, said)
	}
	f.Publish(hosts(1, "refused"), time.Now())
	routes := p.want("routes +https")
	if _, said := f.clientStatus(t, &statussvc.ClientStatusRequest{}); said != good+"REQUESTED" {
		t.Error(said)
	}
	p.refuse(routes, "https: no such host")
	f.until(t, "the refusal", func() bool { return len(f.Refusals()) == 1 })
	f.Place(f.Refusals()[0], "cluster.yaml:4:2")
	if _, said := f.clientStatus(t, &statussvc.ClientStatusRequest{}); said != good+"NACKED cluster.yaml:4:2: https: no such host" {
		t.Error(said)
	}
	k := f.Clients()[0].Kinds[Routes]
	if k.State != "nack" || k.Accepted == "" || k.Accepted == k.Version || k.Refusal.Version != k.Version || k.Refusal.Place != "cluster.yaml:4:2" {
		t.Errorf("%+v, %+v", k, k.Refusal)
	}
}

func TestTheStatusServiceIsAskedForSomeEnvoys(t *testing.T) {
	f := serve(t, true)
	f.Publish(translated(pool("a", 1)), time.Now())
	f.proxy(t).start(f)
	ask := func(m *matcherv3.StringMatcher) *statussvc.ClientStatusRequest {
		return &statussvc.ClientStatusRequest{NodeMatchers: []*matcherv3.NodeMatcher{{NodeId: m}}, ExcludeResourceContents: true}
	}
	for want, m := range []*matcherv3.StringMatcher{
		{MatchPattern: &matcherv3.StringMatcher_Exact{Exact: "tes"}},
		{MatchPattern: &matcherv3.StringMatcher_Prefix{Prefix: "TES"}, IgnoreCase: true},
	} {
		if n, _ := f.clientStatus(t, ask(m)); n != want {
			t.Errorf("%v: %d clients", m, n)
		}
	}
	_, err := statussvc.NewClientStatusDiscoveryServiceClient(f.conn).FetchClientStatus(t.Context(), ask(&matcherv3.StringMatcher{
		MatchPattern: &matcherv3.StringMatcher_SafeRegex{SafeRegex: &matcherv3.RegexMatcher{Regex: "x"}}}))
	if grpcstatus.Code(err) != codes.InvalidArgument {
		t.Errorf("a matcher that is not known: %v", err)
	}
}

func TestAResourceThatIsNamedIsTheOneRefused(t *testing.T) {
	ch := channel{names: []string{"a", "b"}, refused: &Refusal{Words: "cluster 'b': no"}}
	if ch.refuses("a") || !ch.refuses("b") || ch.refuses("c") {
		t.Error("a named one")
	}
	if ch.refused.Words = "no"; !ch.refuses("a") || !ch.refuses("b") {
		t.Error("none named")
	}
}
