package xds

import (
	"context"
	"maps"
	"slices"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	discoverysvc "github.com/envoyproxy/go-control-plane/envoy/service/discovery/v3"
	cachev3 "github.com/envoyproxy/go-control-plane/pkg/cache/v3"
	serverv3 "github.com/envoyproxy/go-control-plane/pkg/server/v3"
)

// poll is a waiting question of the state-of-the-world protocol, which usher's
// Envoys do not use: people do, with grpcurl.
type poll struct {
	req     *cachev3.Request
	kind    Kind
	sub     cachev3.Subscription
	out     chan cachev3.Response
	trusted bool
}

// CreateWatch answers at once, or when there is news.
func (f *face) CreateWatch(req *cachev3.Request, sub cachev3.Subscription, out chan cachev3.Response) (func(), error) {
	k, ok := kindOf(req.GetTypeUrl())
	if !ok {
		return nil, nil
	}
	p := &poll{req, k, sub, out, f.trusted}
	f.mu.Lock()
	defer f.mu.Unlock()
	if p.answer(f.view(f.trusted)) {
		return nil, nil
	}
	f.polls[p] = true
	return func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		delete(f.polls, p)
	}, nil
}

// answer sends what has changed since the last answer. A refused answer is not
// sent again: it is the same until something else is published.
func (p *poll) answer(s *snapshot) bool {
	if s == nil {
		return false
	}
	r := s.response(p.req, p.kind, p.wants)
	if p.req.GetResponseNonce() != "" && maps.Equal(r.ReturnedResources, p.sub.ReturnedResources()) {
		return false
	}
	p.out <- r
	return true
}

func (p *poll) wants(name string) bool {
	_, named := p.sub.SubscribedResources()[name]
	return named || p.sub.IsWildcard()
}

// response holds all resources of a kind that are wanted, sorted by name.
func (s *snapshot) response(req *cachev3.Request, k Kind, wants func(string) bool) *cachev3.PassthroughResponse {
	out := &discoverysvc.DiscoveryResponse{TypeUrl: k.TypeURL(), VersionInfo: s.versions[k]}
	returned := map[string]string{}
	for _, name := range slices.Sorted(maps.Keys(s.resources[k])) {
		if wants(name) {
			out.Resources = append(out.Resources, s.resources[k][name].body)
			returned[name] = s.resources[k][name].version
		}
	}
	return &cachev3.PassthroughResponse{Request: req, DiscoveryResponse: out, ReturnedResources: returned}
}

// The callbacks of the state-of-the-world protocol note nothing: its clients
// are readers.
var _ serverv3.Callbacks = (*face)(nil)

// OnStreamOpen notes nothing.
func (f *face) OnStreamOpen(context.Context, int64, string) error { return nil }

// OnStreamClosed notes nothing.
func (f *face) OnStreamClosed(int64, *corev3.Node) {}

// OnStreamRequest notes nothing.
func (f *face) OnStreamRequest(int64, *discoverysvc.DiscoveryRequest) error { return nil }

// OnStreamResponse notes nothing.
func (f *face) OnStreamResponse(context.Context, int64, *discoverysvc.DiscoveryRequest, *discoverysvc.DiscoveryResponse) {
}

// OnFetchRequest notes nothing.
func (f *face) OnFetchRequest(context.Context, *discoverysvc.DiscoveryRequest) error { return nil }

// OnFetchResponse notes nothing.
func (f *face) OnFetchResponse(*discoverysvc.DiscoveryRequest, *discoverysvc.DiscoveryResponse) {}
