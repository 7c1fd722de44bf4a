package xds

import (
	rulesv3 "github.com/envoyproxy/go-control-plane/envoy/config/common/matcher/v3"
	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	routev3 "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"
	httpv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/upstreams/http/v3"
	"google.golang.org/protobuf/types/known/durationpb"

	"usher/model"
)

// httpOptions are how nodes are spoken to.
func httpOptions(p model.Pool) *httpv3.HttpProtocolOptions {
	o := &httpv3.HttpProtocolOptions{
		CommonHttpProtocolOptions: &corev3.HttpProtocolOptions{IdleTimeout: durationpb.New(p.IdleTimeout.Std())},
		UpstreamProtocolOptions: &httpv3.HttpProtocolOptions_ExplicitHttpConfig_{
			ExplicitHttpConfig: protocol(p.Protocol),
		},
	}
	if len(p.FailOnStatus) > 0 {
		o.OutlierDetection = &httpv3.HttpProtocolOptions_OutlierDetection{ErrorMatcher: statusMatcher(p.FailOnStatus)}
	}
	return o
}

// ownPort tells whether a node's own Host may have its port. Envoy knows one name
// of an endpoint, which is its Host and its SNI; where a node is held to its name
// by TLS, that goes before.
func ownPort(p model.Pool) bool {
	return p.TLS == nil || p.TLS.ServerName != "" || p.TLS.Verify != model.VerifyCA || !ownNames(p)
}

// hostHeader is an address as a Host header has it, without the scheme's own port.
func hostHeader(p model.Pool, a model.Address) string {
	usual := uint16(80)
	if p.TLS != nil {
		usual = 443
	}
	if a.Port != usual {
		return a.String()
	}
	if a.IP().Is6() {
		return "[" + a.Host + "]"
	}
	return a.Host
}

func protocol(p model.Protocol) *httpv3.HttpProtocolOptions_ExplicitHttpConfig {
	if p == model.HTTP2 {
		return &httpv3.HttpProtocolOptions_ExplicitHttpConfig{
			ProtocolConfig: &httpv3.HttpProtocolOptions_ExplicitHttpConfig_Http2ProtocolOptions{
				Http2ProtocolOptions: &corev3.Http2ProtocolOptions{},
			},
		}
	}
	return &httpv3.HttpProtocolOptions_ExplicitHttpConfig{
		ProtocolConfig: &httpv3.HttpProtocolOptions_ExplicitHttpConfig_HttpProtocolOptions{
			HttpProtocolOptions: &corev3.Http1ProtocolOptions{EnableTrailers: true},
		},
	}
}

// statusMatcher says which answers count as errors of the node, in the place of
// all from 500 on.
func statusMatcher(ranges []model.StatusRange) *rulesv3.MatchPredicate {
	pattern := ""
	for _, r := range ranges {
		for s := r.From; s <= r.To; s++ {
			pattern += "|" + statusText(s)
		}
	}
	return &rulesv3.MatchPredicate{Rule: &rulesv3.MatchPredicate_HttpResponseHeadersMatch{
		HttpResponseHeadersMatch: &rulesv3.HttpHeadersMatch{Headers: []*routev3.HeaderMatcher{matches(":status", pattern[1:])}},
	}}
}
