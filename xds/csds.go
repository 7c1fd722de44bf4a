package xds

import (
	"context"
	"io"
	"maps"
	"slices"
	"strings"

	adminv3 "github.com/envoyproxy/go-control-plane/envoy/admin/v3"
	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	statussvc "github.com/envoyproxy/go-control-plane/envoy/service/status/v3"
	matcherv3 "github.com/envoyproxy/go-control-plane/envoy/type/matcher/v3"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/timestamppb"
)

// csds is the Client Status Discovery Service: which Envoy has what, resource by
// resource. It never shows a private key.
type csds struct {
	statussvc.UnimplementedClientStatusDiscoveryServiceServer
	*Server
}

// FetchClientStatus answers once.
func (d csds) FetchClientStatus(_ context.Context, req *statussvc.ClientStatusRequest) (*statussvc.ClientStatusResponse, error) {
	for _, m := range req.GetNodeMatchers() {
		if _, ok := fits(m.GetNodeId(), ""); !ok || len(m.GetNodeMetadatas()) > 0 {
			return nil, status.Error(codes.InvalidArgument, "nodes are matched by node_id with exact, prefix, suffix or contains")
		}
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	out := &statussvc.ClientStatusResponse{}
	for _, c := range d.clients {
		if wanted(req.GetNodeMatchers(), c.node) {
			out.Config = append(out.Config, c.config(!req.GetExcludeResourceContents()))
		}
	}
	slices.SortFunc(out.Config, func(a, b *statussvc.ClientConfig) int {
		return strings.Compare(a.GetNode().GetId()+a.GetClientScope(), b.GetNode().GetId()+b.GetClientScope())
	})
	return out, nil
}

// StreamClientStatus answers every request.
func (d csds) StreamClientStatus(stream statussvc.ClientStatusDiscoveryService_StreamClientStatusServer) error {
	for {
		req, err := stream.Recv()
		if err == io.EOF { //nolint:errorlint // as gRPC returns it
			return nil
		}
		if err != nil {
			return err
		}
		out, err := d.FetchClientStatus(stream.Context(), req)
		if err != nil {
			return err
		}
		if err := stream.Send(out); err != nil {
			return err
		}
	}
}

func wanted(ms []*matcherv3.NodeMatcher, node string) bool {
	return len(ms) == 0 || slices.ContainsFunc(ms, func(m *matcherv3.NodeMatcher) bool {
		yes, _ := fits(m.GetNodeId(), node)
		return yes
	})
}

// fits tells whether a text is what a matcher wants, and whether it is one that
// can be told.
func fits(m *matcherv3.StringMatcher, text string) (yes, known bool) {
	fold := func(s string) string { return s }
	if m.GetIgnoreCase() {
		fold = strings.ToLower
	}
	text = fold(text)
	switch p := m.GetMatchPattern().(type) {
	case nil:
		return true, true
	case *matcherv3.StringMatcher_Exact:
		return text == fold(p.Exact), true
	case *matcherv3.StringMatcher_Prefix:
		return strings.HasPrefix(text, fold(p.Prefix)), true
	case *matcherv3.StringMatcher_Suffix:
		return strings.HasSuffix(text, fold(p.Suffix)), true
	case *matcherv3.StringMatcher_Contains:
		return strings.Contains(text, fold(p.Contains)), true
	}
	return false, false
}

// config is all that one Envoy was told, and what it said about it.
func (c *client) config(contents bool) *statussvc.ClientConfig {
	out := &statussvc.ClientConfig{Node: &corev3.Node{Id: c.node}, ClientScope: c.address}
	published := c.track.now.redacted
	if published == nil {
		return out
	}
	for _, k := range Kinds() {
		if !c.kinds[k].asked {
			continue
		}
		for _, name := range slices.Sorted(maps.Keys(published.resources[k])) {
			r := c.resource(k, name, published.versions[k])
			if contents {
				r.XdsConfig = published.resources[k][name].body
			}
			out.GenericXdsConfigs = append(out.GenericXdsConfigs, r)
		}
	}
	return out
}

func (c *client) resource(k Kind, name, version string) *statussvc.ClientConfig_GenericXdsConfig {
	ch := &c.kinds[k]
	r := &statussvc.ClientConfig_GenericXdsConfig{TypeUrl: k.TypeURL(), Name: name, VersionInfo: version}
	if !ch.at.IsZero() {
		r.LastUpdated = timestamppb.New(ch.at)
	}
	switch {
	case ch.refuses(name):
		r.ConfigStatus, r.ClientStatus = statussvc.ConfigStatus_ERROR, adminv3.ClientResourceStatus_NACKED
		r.ErrorState = &adminv3.UpdateFailureState{Details: ch.refused.Words, VersionInfo: ch.refused.Version, LastUpdateAttempt: timestamppb.New(ch.refused.Time)}
		if ch.refused.Place != "" {
			r.ErrorState.Details = ch.refused.Place + ": " + ch.refused.Words
		}
	case ch.flying > 0 && slices.Contains(ch.names, name):
		r.ConfigStatus, r.ClientStatus = statussvc.ConfigStatus_STALE, adminv3.ClientResourceStatus_REQUESTED
	case c.has(k, name):
		r.ConfigStatus, r.ClientStatus = statussvc.ConfigStatus_SYNCED, adminv3.ClientResourceStatus_ACKED
	default:
		r.ConfigStatus, r.ClientStatus = statussvc.ConfigStatus_NOT_SENT, adminv3.ClientResourceStatus_UNKNOWN
	}
	return r
}

// refuses tells whether Envoy has refused the resource: the one that its words
// name, or where they name none, every one in the answer.
func (ch *channel) refuses(name string) bool {
	if ch.refused == nil || !slices.Contains(ch.names, name) {
		return false
	}
	named := func(n string) bool { return Mentions(ch.refused.Words, n) }
	return named(name) || !slices.ContainsFunc(ch.names, named)
}

// Mentions tells whether Envoy's words have a name as a word of its own.
func Mentions(words, name string) bool {
	return slices.Contains(strings.FieldsFunc(words, func(r rune) bool { return strings.ContainsRune(" '\"(),:/", r) }), name)
}
