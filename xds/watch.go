package xds

import (
	"context"
	"maps"
	"time"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	discoverysvc "github.com/envoyproxy/go-control-plane/envoy/service/discovery/v3"
	cachev3 "github.com/envoyproxy/go-control-plane/pkg/cache/v3"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/peer"
	"google.golang.org/grpc/status"
)

// face answers go-control-plane's server, which speaks the protocol: it is the
// cache that the server asks and the callbacks that it tells.
type face struct {
	*Server
	trusted bool
}

// CreateDeltaWatch is an Envoy's question for news of one kind. It comes with
// every request, so a request is also how an answer is accepted or refused.
func (f *face) CreateDeltaWatch(req *cachev3.DeltaRequest, sub cachev3.Subscription, out chan cachev3.DeltaResponse) (func(), error) {
	k, ok := kindOf(req.GetTypeUrl())
	defer f.poke() // what the request says is noted, and what follows from it: now, not before
	f.mu.Lock()
	defer f.mu.Unlock()
	c := f.asking[req]
	delete(f.asking, req)
	if !ok || c == nil {
		return nil, nil // a type that usher has nothing of is never answered
	}
	w := &watch{req, sub, out}
	c.kinds[k].wait(w)
	c.answer(c.view(), c.track.count, time.Now())
	return func() { f.cancel(c, k, w) }, nil
}

func (f *face) cancel(c *client, k Kind, w *watch) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if c.kinds[k].watch == w {
		c.kinds[k].watch = nil
	}
}

// OnDeltaStreamOpen notes a new client.
func (f *face) OnDeltaStreamOpen(ctx context.Context, id int64, _ string) error {
	c := &client{trusted: f.trusted, since: time.Now(), track: f.rest, sums: &f.counted}
	if p, ok := peer.FromContext(ctx); ok {
		c.address = p.Addr.String()
	}
	f.mu.Lock()
	f.clients[f.key(id)] = c
	f.mu.Unlock()
	f.poke()
	return nil
}

// OnDeltaStreamClosed forgets it.
func (f *face) OnDeltaStreamClosed(id int64, _ *corev3.Node) {
	f.mu.Lock()
	gone := f.clients[f.key(id)]
	delete(f.clients, f.key(id))
	// A request that is refused before it becomes a watch leaves its note behind.
	maps.DeleteFunc(f.asking, func(_ any, c *client) bool { return c == gone })
	f.mu.Unlock()
	f.poke()
}

// OnStreamDeltaRequest notes what a request says about the answer before it;
// CreateDeltaWatch follows at once with the same request.
func (f *face) OnStreamDeltaRequest(id int64, req *discoverysvc.DeltaDiscoveryRequest) error {
	f.mu.Lock()
	c := f.clients[f.key(id)]
	f.asking[req] = c
	if k, ok := kindOf(req.GetTypeUrl()); ok {
		c.judge(k, req, c.track.count, time.Now())
	}
	f.mu.Unlock()
	return nil
}

// key tells the streams of the two faces apart, each of which counts from 1.
func (f *face) key(id int64) int64 {
	if f.trusted {
		return id
	}
	return -id
}

// OnStreamDeltaResponse has nothing to note: answers are counted when made.
func (f *face) OnStreamDeltaResponse(int64, *discoverysvc.DeltaDiscoveryRequest, *discoverysvc.DeltaDiscoveryResponse) {
}

// Fetch answers the unary calls with what is published now: all of a kind when
// no names are given, for any node.
func (f *face) Fetch(_ context.Context, req *cachev3.Request) (cachev3.Response, error) {
	k, ok := kindOf(req.GetTypeUrl())
	if !ok {
		return nil, status.Errorf(codes.Unimplemented, "usher publishes no %s", req.GetTypeUrl())
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	s := f.view(f.trusted)
	if s == nil {
		return nil, status.Error(codes.Unavailable, "nothing is published yet: cluster.yaml has not been accepted")
	}
	names := map[string]bool{}
	for _, n := range req.GetResourceNames() {
		names[n] = true
	}
	return s.response(req, k, func(n string) bool { return len(names) == 0 || names[n] || names["*"] }), nil
}
