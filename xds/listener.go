package xds

import (
	"time"

	mutationv3 "github.com/envoyproxy/go-control-plane/envoy/config/common/mutation_rules/v3"
	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	listenerv3 "github.com/envoyproxy/go-control-plane/envoy/config/listener/v3"
	h2mv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/header_to_metadata/v3"
	routerv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/router/v3"
	hcmv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/network/http_connection_manager/v3"
	earlyv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/http/early_header_mutation/header_mutation/v3"
	matcherv3 "github.com/envoyproxy/go-control-plane/envoy/type/matcher/v3"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

// What a stranger may hold or take at the edge.
const (
	handshakeTimeout = 10 * time.Second // a connection that never says hello
	headersTimeout   = 10 * time.Second // request headers that trickle in
	downstreamIdle   = 5 * time.Minute  // a kept connection without a request
	maxHeaders       = 100
	maxStreams       = 100       // concurrent, on one HTTP/2 connection
	streamWindow     = 64 << 10  // bytes
	connectionWindow = 1 << 20   // bytes
	bufferLimit      = 1_048_576 // bytes a connection; 32 KiB costs large bodies 10 %
)

// listener is constant for as long as its address and certificates' names are:
// a change of it drains its connections, so routes, nodes and keys come by
// other resources. private are the headers that clients may not send, proven the
// hosts that are proven to ACME directories here.
func (s socket) listener(private, proven []string) *listenerv3.Listener {
	l := &listenerv3.Listener{
		Name:                          s.name(),
		Address:                       socketAddress(s[0].Address.Host, s[0].Address.Port),
		PerConnectionBufferLimitBytes: u32(bufferLimit),
		FilterChains: []*listenerv3.FilterChain{{
			TransportSocket:               s.downstreamTLS(),
			TransportSocketConnectTimeout: durationpb.New(handshakeTimeout),
			Filters: []*listenerv3.Filter{{
				Name:       "envoy.filters.network.http_connection_manager",
				ConfigType: &listenerv3.Filter_TypedConfig{TypedConfig: pack(connectionManager(s.name(), private))},
			}},
		}},
	}
	if len(proven) > 0 {
		l.ListenerFilters = []*listenerv3.ListenerFilter{tlsInspector()}
		l.FilterChains = append(l.FilterChains, proofChain(s.name(), proven))
	}
	return l
}

func connectionManager(name string, private []string) *hcmv3.HttpConnectionManager {
	return &hcmv3.HttpConnectionManager{
		StatPrefix: name,
		RouteSpecifier: &hcmv3.HttpConnectionManager_Rds{
			Rds: &hcmv3.Rds{ConfigSource: ads(), RouteConfigName: name},
		},
		HttpFilters: httpFilters(),

		// Whose request it is, is known from the connection, and nobody on a
		// private network is trusted for being there.
		UseRemoteAddress:              yes(),
		InternalAddressConfig:         nobodyInternal(),
		EarlyHeaderMutationExtensions: []*corev3.TypedExtensionConfig{withoutClaims(private)},
		AppendXForwardedPort:          true,

		NormalizePath:                yes(),
		MergeSlashes:                 true,
		PathWithEscapedSlashesAction: hcmv3.HttpConnectionManager_REJECT_REQUEST, // httpd: AllowEncodedSlashes Off

		CommonHttpProtocolOptions: &corev3.HttpProtocolOptions{
			IdleTimeout:                  durationpb.New(downstreamIdle),
			MaxHeadersCount:              u32(maxHeaders),
			HeadersWithUnderscoresAction: corev3.HttpProtocolOptions_DROP_HEADER,
		},
		HttpProtocolOptions: &corev3.Http1ProtocolOptions{AcceptHttp_10: true}, // otherwise answered with 426
		Http2ProtocolOptions: &corev3.Http2ProtocolOptions{
			MaxConcurrentStreams:        u32(maxStreams),
			InitialStreamWindowSize:     u32(streamWindow),
			InitialConnectionWindowSize: u32(connectionWindow),
		},
		StreamIdleTimeout:     durationpb.New(streamIdle),
		RequestHeadersTimeout: durationpb.New(headersTimeout),

		// 1.7 µs a request for both.
		GenerateRequestId:          wrapperspb.Bool(false),
		ServerHeaderTransformation: hcmv3.HttpConnectionManager_PASS_THROUGH,
	}
}

// nobodyInternal names an address that no client has: an empty list would mean
// all private networks.
func nobodyInternal() *hcmv3.HttpConnectionManager_InternalAddressConfig {
	return &hcmv3.HttpConnectionManager_InternalAddressConfig{
		CidrRanges: []*corev3.CidrRange{{AddressPrefix: "255.255.255.255", PrefixLen: u32(32)}},
	}
}

func httpFilters() []*hcmv3.HttpFilter {
	sticky := httpFilter(h2mFilter, &h2mv3.Config{})
	sticky.Disabled = true // a route with rules enables it, so a change of `sticky` is a change of routes
	return []*hcmv3.HttpFilter{
		sticky,
		// 2 µs a request for both settings.
		httpFilter("envoy.filters.http.router", &routerv3.Router{
			DynamicStats:         wrapperspb.Bool(false),
			SuppressEnvoyHeaders: true,
		}),
	}
}

func httpFilter(name string, config proto.Message) *hcmv3.HttpFilter {
	return &hcmv3.HttpFilter{Name: name, ConfigType: &hcmv3.HttpFilter_TypedConfig{TypedConfig: pack(config)}}
}

// withoutClaims removes what a client says about itself in X-Forwarded-*,
// X-Envoy-* and the private headers, before Envoy adds its own:
// use_remote_address alone would append to a forged X-Forwarded-For, and a
// header of a client's certificate is not added where there is none.
func withoutClaims(private []string) *corev3.TypedExtensionConfig {
	early := &earlyv3.HeaderMutation{}
	for _, prefix := range []string{"x-forwarded-", "x-envoy-"} {
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
