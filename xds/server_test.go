package xds

import (
	"context"
	"net"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	routev3 "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"
	clustersvc "github.com/envoyproxy/go-control-plane/envoy/service/cluster/v3"
	discoverysvc "github.com/envoyproxy/go-control-plane/envoy/service/discovery/v3"
	secretsvc "github.com/envoyproxy/go-control-plane/envoy/service/secret/v3"
	"google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	grpcstatus "google.golang.org/grpc/status"

	"usher/model"
	"usher/xds/pki"
)

// patience bounds every wait of these tests.
const patience = 10 * time.Second

type fixture struct {
	*Server
	conn *grpc.ClientConn
}

func serve(t *testing.T, trusted bool) fixture {
	t.Helper()
	pokes := make(chan struct{}, 1)
	s := NewServer(func() {
		select {
		case pokes <- struct{}{}:
		default:
		}
	})
	lis, err := net.Listen("unix", filepath.Join(t.TempDir(), "s"))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- s.Serve(ctx, lis, Transport{Trusted: trusted}) }()
	go s.attend(ctx, pokes)
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	conn, err := grpc.NewClient("unix:"+lis.Addr().String(), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return fixture{s, conn}
}

// Publish publishes as the program's loop does, which calls Advance after it.
func (f fixture) Publish(r Resources, now time.Time) {
	f.Server.Publish(r, now)
	f.poke()
}

// attend does as the program's loop does: it calls Advance when it is poked or
// when Advance has asked for it, and at no other time.
func (s *Server) attend(ctx context.Context, pokes <-chan struct{}) {
	for {
		wait := time.Hour
		if next := s.Advance(time.Now()); !next.IsZero() {
			wait = max(0, time.Until(next))
		}
		select {
		case <-ctx.Done():
			return
		case <-pokes:
		case <-time.After(wait):
		}
	}
}

func (f fixture) until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !ok(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%s did not happen within %s", what, patience)
		}
	}
}

func translated(pools ...model.Pool) Resources {
	c := &model.Cluster{Pools: pools, Certificates: []model.Certificate{{Name: "server"}}}
	l := model.Listener{Name: "https", Address: model.Address{Host: "127.0.0.1", Port: 8443}, Hosts: []string{"*"},
		TLS: &model.ListenerTLS{Certificate: "server", MinVersion: model.TLS12}}
	for _, p := range pools {
		l.Routes = append(l.Routes, model.Route{Path: "/" + p.Name, Pool: p.Name, Timeout: model.DefaultTimeout})
	}
	c.Listeners = []model.Listener{l}
	return Translate(c, Material{Pairs: map[string]pki.Pair{"server": {Chain: []byte("chain"), Key: []byte("the private key")}}})
}

func pool(name string, weight model.Weight) model.Pool {
	return model.Pool{Name: name, Balance: model.RoundRobin, Sticky: []model.Sticky{{JVMRoute: "JSESSIONID"}},
		Host: model.HostKeep, Health: model.Health{TCP: model.On, Interval: model.DefaultTCPInterval},
		Nodes: []model.Node{{Name: "n1", Address: model.Address{Host: "127.0.0.1", Port: 9443}, Weight: weight, State: model.Active}}}
}

// proxy speaks the delta protocol as Envoy does.
type proxy struct {
	t      *testing.T
	stream discoverysvc.AggregatedDiscoveryService_DeltaAggregatedResourcesClient
	in     chan *discoverysvc.DeltaDiscoveryResponse
}

func (f fixture) proxy(t *testing.T) *proxy {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	t.Cleanup(cancel)
	stream, err := discoverysvc.NewAggregatedDiscoveryServiceClient(f.conn).DeltaAggregatedResources(ctx)
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{t, stream, make(chan *discoverysvc.DeltaDiscoveryResponse, 100)}
	go func() {
		defer close(p.in)
		for {
			r, err := stream.Recv()
			if err != nil {
				return
			}
			p.in <- r
		}
	}()
	return p
}

func (p *proxy) ask(k Kind, names ...string) {
	p.send(&discoverysvc.DeltaDiscoveryRequest{TypeUrl: k.TypeURL(), ResourceNamesSubscribe: names, Node: &corev3.Node{Id: "test"}})
}

func (p *proxy) send(r *discoverysvc.DeltaDiscoveryRequest) {
	p.t.Helper()
	if err := p.stream.Send(r); err != nil {
		p.t.Fatal(err)
	}
}

func (p *proxy) accept(r *discoverysvc.DeltaDiscoveryResponse) {
	p.send(&discoverysvc.DeltaDiscoveryRequest{TypeUrl: r.TypeUrl, ResponseNonce: r.Nonce})
}

func (p *proxy) refuse(r *discoverysvc.DeltaDiscoveryResponse, words string) {
	p.send(&discoverysvc.DeltaDiscoveryRequest{TypeUrl: r.TypeUrl, ResponseNonce: r.Nonce, ErrorDetail: &status.Status{Message: words}})
}

// next is the next answer, as "kind +sent -removed".
func (p *proxy) next() (*discoverysvc.DeltaDiscoveryResponse, string) {
	p.t.Helper()
	select {
	case r, ok := <-p.in:
		if !ok {
			p.t.Fatal("the stream was cut")
		}
		k, _ := kindOf(r.TypeUrl)
		words := []string{k.String()}
		for _, res := range r.Resources {
			words = append(words, "+"+res.Name)
		}
		for _, name := range r.RemovedResources {
			words = append(words, "-"+name)
		}
		return r, strings.Join(words, " ")
	case <-time.After(patience):
		p.t.Fatal("no answer")
		return nil, ""
	}
}

func (p *proxy) want(text string) *discoverysvc.DeltaDiscoveryResponse {
	p.t.Helper()
	r, got := p.next()
	if got != text {
		p.t.Fatalf("got %q, want %q", got, text)
	}
	return r
}

func (p *proxy) quiet() {
	p.t.Helper()
	select {
	case r := <-p.in:
		p.t.Fatalf("unexpected answer: %v", r)
	case <-time.After(warmUp + 100*time.Millisecond): // a held answer would have come
	}
}

// start brings a proxy to where it has everything of one pool.
func (p *proxy) start(f fixture) {
	p.t.Helper()
	p.begin()
	f.until(p.t, "acceptance", func() bool { return f.Settled(true) })
}

func (p *proxy) begin() {
	p.t.Helper()
	p.ask(Clusters)
	p.accept(p.want("clusters +a"))
	p.ask(Endpoints, "a")
	p.accept(p.want("endpoints +a"))
	p.ask(Listeners)
	p.accept(p.want("listeners +https"))
	p.ask(Secrets, "server")
	p.ask(Routes, "https")
	p.accept(p.want("secrets +server"))
	p.accept(p.want("routes +https"))
}

func TestNothingIsServedBeforeTheFirstPublication(t *testing.T) {
	f := serve(t, true)
	p := f.proxy(t)
	p.ask(Clusters)
	p.quiet()
	_, err := clustersvc.NewClusterDiscoveryServiceClient(f.conn).FetchClusters(t.Context(), &discoverysvc.DiscoveryRequest{})
	if grpcstatus.Code(err) != codes.Unavailable {
		t.Errorf("a fetch before the first file: %v", err)
	}
	f.Publish(translated(pool("a", 1)), time.Now())
	p.want("clusters +a")
}

func TestOnlyWhatChangedIsPushed(t *testing.T) {
	f := serve(t, true)
	f.Publish(translated(pool("a", 1)), time.Now())
	p := f.proxy(t)
	p.start(f)
	f.Publish(translated(pool("a", 1)), time.Now())
	p.quiet()
	f.Publish(translated(pool("a", 2)), time.Now())
	p.accept(p.want("endpoints +a"))
	p.quiet()
	f.until(t, "acceptance", func() bool { return f.Settled(true) })
}

func TestAPoolComesBeforeItsRouteAndGoesAfterIt(t *testing.T) {
	f := serve(t, true)
	f.Publish(translated(pool("a", 1)), time.Now())
	p := f.proxy(t)
	p.start(f)

	f.Publish(translated(pool("a", 1), pool("b", 1)), time.Now())
	clusters := p.want("clusters +b")
	p.quiet() // no routes while the cluster is unknown
	p.accept(clusters)
	p.ask(Endpoints, "b")
	endpoints := p.want("endpoints +b")
	p.quiet()
	p.accept(endpoints)
	p.accept(p.want("routes +https"))

	f.Publish(translated(pool("a", 1)), time.Now())
	routes := p.want("routes +https")
	p.quiet() // no cluster is taken away while a route may name it
	p.accept(routes)
	p.accept(p.want("clusters -b"))
	p.accept(p.want("endpoints -b"))
	f.until(t, "acceptance", func() bool { return f.Settled(true) })
}

func TestARouteWaitsForTheSecretsOfItsPool(t *testing.T) {
	f := serve(t, true)
	f.Publish(translated(pool("a", 1)), time.Now())
	p := f.proxy(t)
	p.start(f)

	b := pool("b", 1)
	b.TLS = &model.PoolTLS{Verify: model.VerifyPin, Pins: []model.Pin{"sha256/x"}, Certificate: "server"}
	f.Publish(translated(pool("a", 1), b), time.Now())
	p.accept(p.want("clusters +b"))
	p.ask(Endpoints, "b")
	p.accept(p.want("endpoints +b"))
	p.quiet() // no routes while the cluster lacks a secret
	p.ask(Secrets, "b/pins")
	secret := p.want("secrets +b/pins")
	p.quiet()
	p.accept(secret)
	p.accept(p.want("routes +https"))
	f.until(t, "acceptance", func() bool { return f.Settled(true) })
}

func TestAClusterThatIsRebuiltGetsItsEndpointsAgain(t *testing.T) {
	f := serve(t, true)
	f.Publish(translated(pool("a", 1)), time.Now())
	p := f.proxy(t)
	p.start(f)
	changed := pool("a", 1)
	changed.Balance = model.Random
	f.Publish(translated(changed), time.Now())
	p.accept(p.want("clusters +a"))
	p.accept(p.want("endpoints +a"))
	p.quiet()
}

func TestARefusalIsReportedOnceAndNotRepeated(t *testing.T) {
	f := serve(t, true)
	good := translated(pool("a", 1))
	f.Publish(good, time.Now())
	p := f.proxy(t)
	p.start(f)
	f.Publish(translated(pool("a", 2)), time.Now())
	p.refuse(p.want("endpoints +a"), "no such thing")
	f.until(t, "the refusal", func() bool { return len(f.Refusals()) > 0 })
	if r := f.Refusals()[0]; r.Kind != "endpoints" || r.Words != "no such thing" || r.Count != 1 {
		t.Errorf("refusal %+v", r)
	}
	if f.Settled(true) {
		t.Error("settled in spite of a refusal")
	}
	p.quiet()
	f.Publish(good, time.Now())
	p.accept(p.want("endpoints +a"))
	f.until(t, "acceptance", func() bool { return f.Settled(true) })
}

func TestARefusalStandsUntilWhatWasRefusedIsGone(t *testing.T) {
	f := serve(t, true)
	f.Publish(translated(pool("a", 1)), time.Now())
	p := f.proxy(t)
	p.start(f)
	denied := func(weight model.Weight) Resources {
		r := translated(pool("a", weight))
		r[Routes]["https"].(*routev3.RouteConfiguration).VirtualHosts[0].Domains = []string{"refused"}
		return r
	}
	f.Publish(denied(1), time.Now())
	p.refuse(p.want("routes +https"), "no")
	f.until(t, "the refusal", func() bool { return len(f.Refusals()) > 0 })
	f.Publish(denied(1), time.Now())
	f.Publish(denied(2), time.Now())
	p.accept(p.want("endpoints +a"))
	p.quiet()
	if len(f.Refusals()) != 1 || f.Settled(true) {
		t.Errorf("a change of endpoints made up for the refusal of routes: %v", f.Refusals())
	}
	f.Publish(translated(pool("a", 2)), time.Now())
	p.accept(p.want("routes +https"))
	f.until(t, "acceptance", func() bool { return f.Settled(true) && len(f.Refusals()) == 0 })
}

// TestARefusalThatComesAfterAnotherPublicationCounts: the answer was sent with
// one publication, and by the time Envoy refuses it there is a next one, in
// which what it refuses is the same.
func TestARefusalThatComesAfterAnotherPublicationCounts(t *testing.T) {
	f := serve(t, true)
	f.Publish(translated(pool("a", 1)), time.Now())
	p := f.proxy(t)
	p.ask(Clusters)
	p.accept(p.want("clusters +a"))
	p.ask(Endpoints, "a")
	p.accept(p.want("endpoints +a"))
	p.ask(Listeners)
	listeners := p.want("listeners +https")
	f.Publish(translated(pool("a", 2)), time.Now()) // endpoints alone
	p.accept(p.want("endpoints +a"))
	p.refuse(listeners, "cannot bind")
	f.until(t, "a refusal", func() bool { return len(f.Refusals()) == 1 })
	if f.Settled(true) {
		t.Error("settled with a refused listener")
	}
}

// TestRequestsThatTheLibraryRefusesLeaveNothing: on ADS a request without a
// type never becomes a question.
func TestRequestsThatTheLibraryRefusesLeaveNothing(t *testing.T) {
	f := serve(t, false)
	for range 5 {
		p := f.proxy(t)
		p.send(&discoverysvc.DeltaDiscoveryRequest{ResourceNamesSubscribe: []string{"a"}})
		for range p.in { // until the server ends the stream
		}
	}
	f.until(t, "forgetting", func() bool {
		f.mu.Lock()
		defer f.mu.Unlock()
		return len(f.asking)+len(f.clients) == 0
	})
}

func TestAStrangersRefusalDecidesNothing(t *testing.T) {
	f := serve(t, false)
	f.Publish(translated(pool("a", 1)), time.Now())
	p := f.proxy(t)
	p.ask(Clusters)
	p.refuse(p.want("clusters +a"), "I say no")
	f.until(t, "the refusal in the status", func() bool {
		return len(f.Clients()) == 1 && f.Clients()[0].Kinds[Clusters].State == "nack"
	})
	if len(f.Refusals()) > 0 || !f.Settled(false) {
		t.Error("a stranger's refusal counts")
	}
}

func TestAReconnectPushesNothingThatIsKnown(t *testing.T) {
	f := serve(t, true)
	r := translated(pool("a", 1))
	f.Publish(r, time.Now())
	s := newSnapshot(r, nil)
	p := f.proxy(t)
	for _, k := range Kinds() {
		known := map[string]string{}
		for name, res := range s.resources[k] {
			known[name] = res.version
		}
		req := &discoverysvc.DeltaDiscoveryRequest{TypeUrl: k.TypeURL(), InitialResourceVersions: known, Node: &corev3.Node{Id: "test"}}
		if k != Clusters && k != Listeners {
			req.ResourceNamesSubscribe = r.Names(k)
		}
		p.send(req)
	}
	p.quiet()
	f.until(t, "acceptance", func() bool { return f.Settled(true) })
}

func TestAStuckEnvoyDelaysNobodyElse(t *testing.T) {
	f := serve(t, true)
	f.Publish(translated(pool("a", 1)), time.Now())
	stuck, p := f.proxy(t), f.proxy(t)
	stuck.ask(Clusters) // and never says another word
	stuck.want("clusters +a")
	p.ask(Clusters)
	p.accept(p.want("clusters +a"))
	p.ask(Endpoints, "a")
	p.accept(p.want("endpoints +a"))
	f.Publish(translated(pool("a", 2)), time.Now())
	p.accept(p.want("endpoints +a"))
}

func TestFetchAnswersAnybodyWithEverything(t *testing.T) {
	f := serve(t, false)
	f.Publish(translated(pool("a", 1), pool("b", 1)), time.Now())
	c := clustersvc.NewClusterDiscoveryServiceClient(f.conn)
	for _, node := range []*corev3.Node{nil, {Id: "x"}, {Id: "y"}} {
		resp, err := c.FetchClusters(t.Context(), &discoverysvc.DiscoveryRequest{Node: node})
		if err != nil || len(resp.Resources) != 2 {
			t.Errorf("node %v: %d clusters, %v", node, len(resp.GetResources()), err)
		}
	}
	resp, err := c.FetchClusters(t.Context(), &discoverysvc.DiscoveryRequest{ResourceNames: []string{"b"}})
	if err != nil || len(resp.Resources) != 1 {
		t.Errorf("by name: %d clusters, %v", len(resp.GetResources()), err)
	}
}

func TestKeysGoOnlyToTheTrusted(t *testing.T) {
	for _, trusted := range []bool{true, false} {
		f := serve(t, trusted)
		f.Publish(translated(pool("a", 1)), time.Now())
		resp, err := secretsvc.NewSecretDiscoveryServiceClient(f.conn).FetchSecrets(t.Context(), &discoverysvc.DiscoveryRequest{})
		if err != nil || len(resp.Resources) != 1 {
			t.Fatal(resp, err)
		}
		if got := strings.Contains(string(resp.Resources[0].Value), "the private key"); got != trusted {
			t.Errorf("trusted %t: key in the answer: %t", trusted, got)
		}
	}
}

func TestAStreamThatIsHalfClosedAtOnceIsAnswered(t *testing.T) {
	f := serve(t, false)
	f.Publish(translated(pool("a", 1)), time.Now())
	c := discoverysvc.NewAggregatedDiscoveryServiceClient(f.conn)
	for i := range 30 {
		stream, err := c.StreamAggregatedResources(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if err := stream.Send(&discoverysvc.DiscoveryRequest{TypeUrl: Clusters.TypeURL()}); err != nil {
			t.Fatal(err)
		}
		if err := stream.CloseSend(); err != nil {
			t.Fatal(err)
		}
		resp, err := stream.Recv()
		if err != nil || len(resp.Resources) != 1 {
			t.Fatalf("try %d: %v, %v", i, resp, err)
		}
	}
}

func TestARefusedStateOfTheWorldIsNotRepeated(t *testing.T) {
	f := serve(t, false)
	f.Publish(translated(pool("a", 1)), time.Now())
	stream, err := discoverysvc.NewAggregatedDiscoveryServiceClient(f.conn).StreamAggregatedResources(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	answers := make(chan *discoverysvc.DiscoveryResponse, 10)
	go func() {
		for {
			r, err := stream.Recv()
			if err != nil {
				return
			}
			answers <- r
		}
	}()
	_ = stream.Send(&discoverysvc.DiscoveryRequest{TypeUrl: Clusters.TypeURL()})
	first := <-answers
	_ = stream.Send(&discoverysvc.DiscoveryRequest{TypeUrl: Clusters.TypeURL(), ResponseNonce: first.Nonce, ErrorDetail: &status.Status{Message: "no"}})
	select {
	case r := <-answers:
		t.Fatalf("sent again: %v", r)
	case <-time.After(300 * time.Millisecond):
	}
	f.Publish(translated(pool("a", 1), pool("b", 1)), time.Now())
	if second := <-answers; len(second.Resources) != 2 {
		t.Fatalf("after the next publication: %v", second)
	}
}

func TestClientsThatLeaveAreForgotten(t *testing.T) {
	f := serve(t, true)
	f.Publish(translated(pool("a", 1)), time.Now())
	for range 50 {
		ctx, cancel := context.WithCancel(t.Context())
		stream, err := discoverysvc.NewAggregatedDiscoveryServiceClient(f.conn).DeltaAggregatedResources(ctx)
		if err != nil {
			t.Fatal(err)
		}
		_ = stream.Send(&discoverysvc.DeltaDiscoveryRequest{TypeUrl: Clusters.TypeURL()})
		if _, err := stream.Recv(); err != nil {
			t.Fatal(err)
		}
		cancel()
	}
	f.until(t, "oblivion", func() bool {
		f.mu.Lock()
		defer f.mu.Unlock()
		return len(f.clients) == 0 && len(f.asking) == 0 && len(f.polls) == 0
	})
}

func TestVersionsAreOfContent(t *testing.T) {
	a, b := newSnapshot(translated(pool("a", 1)), nil), newSnapshot(translated(pool("a", 1)), nil)
	if a.versions != b.versions {
		t.Error("equal content, different versions")
	}
	c := newSnapshot(translated(pool("a", 2)), nil)
	var changed []string
	for _, k := range Kinds() {
		if a.versions[k] != c.versions[k] {
			changed = append(changed, k.String())
		}
	}
	if !slices.Equal(changed, []string{"endpoints"}) {
		t.Errorf("a weight changes %v", changed)
	}
}

// pairsOf are stand-ins for the certificates of a file.
func pairsOf(c *model.Cluster) map[string]pki.Pair {
	all := map[string]pki.Pair{}
	for _, cert := range c.Certificates {
		all[cert.Name] = pki.Pair{Chain: []byte("chain"), Key: []byte("the private key")}
	}
	return all
}
