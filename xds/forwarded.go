package xds

import (
	mutationv3 "github.com/envoyproxy/go-control-plane/envoy/config/common/mutation_rules/v3"
	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	listenerv3 "github.com/envoyproxy/go-control-plane/envoy/config/listener/v3"
	proxyv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/listener/proxy_protocol/v3"
	hcmv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/network/http_connection_manager/v3"
	earlyv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/http/early_header_mutation/header_mutation/v3"
	xffv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/http/original_ip_detection/xff/v3"
	matcherv3 "github.com/envoyproxy/go-control-plane/envoy/type/matcher/v3"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"usher/model"
)

// Who a client is: known from the connection, from a PROXY header before it, or
// from X-Forwarded-For where a trusted proxy has written it. A filter chain of
// their own tells trusted proxies from everybody else.

// strangers makes a connection manager that believes the connection alone.
func strangers(m *hcmv3.HttpConnectionManager, private []string, told model.Switch) {
	m.UseRemoteAddress = yes()
	m.SkipXffAppend = told.Off()
	m.InternalAddressConfig = nobodyInternal()
	m.EarlyHeaderMutationExtensions = []*corev3.TypedExtensionConfig{withoutClaims(append([]string{}, private...), "x-forwarded-", "x-envoy-")}
}

// trusted makes one that believes these proxies: the client is the last address
// of X-Forwarded-For that is none of theirs.
func trusted(m *hcmv3.HttpConnectionManager, private []string, proxies []model.Network, told model.Switch) {
	xff := &xffv3.XffConfig{XffTrustedCidrs: &xffv3.XffTrustedCidrs{}, SkipXffAppend: wrapperspb.Bool(told.Off())}
	for _, p := range proxies {
		xff.XffTrustedCidrs.Cidrs = append(xff.XffTrustedCidrs.Cidrs, cidr(p))
	}
	m.OriginalIpDetectionExtensions = []*corev3.TypedExtensionConfig{{Name: "envoy.http.original_ip_detection.xff", TypedConfig: pack(xff)}}
	m.InternalAddressConfig = nobodyInternal()
	m.EarlyHeaderMutationExtensions = []*corev3.TypedExtensionConfig{withoutClaims(append([]string{}, private...), "x-envoy-")}
}

// nobodyInternal names an address that no client has: an empty list would mean
// all private networks, and nobody is trusted for being there.
func nobodyInternal() *hcmv3.HttpConnectionManager_InternalAddressConfig {
	return &hcmv3.HttpConnectionManager_InternalAddressConfig{
		CidrRanges: []*corev3.CidrRange{{AddressPrefix: "255.255.255.255", PrefixLen: u32(32)}},
	}
}

// withoutClaims removes headers that begin with one of the prefixes, and the
// private ones, before Envoy adds its own: use_remote_address alone would append
// to a forged X-Forwarded-For, and a header of a client's certificate is not
// added where there is none.
func withoutClaims(private []string, prefixes ...string) *corev3.TypedExtensionConfig {
	early := &earlyv3.HeaderMutation{}
	for _, prefix := range prefixes {
		early.Mutations = append(early.Mutations, &mutationv3.HeaderMutation{
			Action: &mutationv3.HeaderMutation_RemoveOnMatch_{RemoveOnMatch: &mutationv3.HeaderMutation_RemoveOnMatch{
				KeyMatcher: &matcherv3.StringMatcher{MatchPattern: &matcherv3.StringMatcher_Prefix{Prefix: prefix}},
			}},
		})
	}
	for _, name := range private {
		early.Mutations = append(early.Mutations, &mutationv3.HeaderMutation{
			Action: &mutationv3.HeaderMutation_Remove{Remove: name},
		})
	}
	return &corev3.TypedExtensionConfig{
		Name:        "envoy.http.early_header_mutation.header_mutation",
		TypedConfig: pack(early),
	}
}

// proxyProtocol reads the header in front of every connection, and closes those
// without one.
func proxyProtocol() *listenerv3.ListenerFilter {
	return &listenerv3.ListenerFilter{
		Name:       "envoy.filters.listener.proxy_protocol",
		ConfigType: &listenerv3.ListenerFilter_TypedConfig{TypedConfig: pack(&proxyv3.ProxyProtocol{})},
	}
}
