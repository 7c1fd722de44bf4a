package xds

import (
	"time"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	listenerv3 "github.com/envoyproxy/go-control-plane/envoy/config/listener/v3"
	h2mv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/header_to_metadata/v3"
	rbacv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/rbac/v3"
	routerv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/router/v3"
	sessionv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/stateful_session/v3"
	hcmv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/network/http_connection_manager/v3"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"usher/model"
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
		Address:                       socketAddress(s.first().Address.Host, s.first().Address.Port),
		PerConnectionBufferLimitBytes: u32(bufferLimit),
		FilterChains:                  []*listenerv3.FilterChain{s.chain(s.filter(private, nil))},
	}
	if s.first().ProxyProtocol {
		l.ListenerFilters = append(l.ListenerFilters, proxyProtocol())
	}
	if proxies := s.first().TrustedProxies; len(proxies) > 0 {
		chain := s.chain(s.filter(private, proxies))
		chain.FilterChainMatch = &listenerv3.FilterChainMatch{}
		for _, p := range proxies {
			// Behind a PROXY header it is the announced address: whoever passes
			// connections on speaks for nobody inside of them.
			chain.FilterChainMatch.SourcePrefixRanges = append(chain.FilterChainMatch.SourcePrefixRanges, cidr(p))
		}
		l.FilterChains = append(l.FilterChains, chain)
	}
	if len(proven) > 0 {
		l.ListenerFilters = append(l.ListenerFilters, tlsInspector())
		l.FilterChains = append(l.FilterChains, proofChain(s.name(), proven))
	}
	return l
}

// chain is what happens to a connection.
func (s socket) chain(f *listenerv3.Filter) *listenerv3.FilterChain {
	return &listenerv3.FilterChain{
		TransportSocket:               s.downstreamTLS(),
		TransportSocketConnectTimeout: durationpb.New(handshakeTimeout),
		Filters:                       []*listenerv3.Filter{f},
	}
}

// filter serves HTTP, to strangers or to trusted proxies, or passes bytes on.
func (s socket) filter(private []string, proxies []model.Network) *listenerv3.Filter {
	if t := s.first().TCP; t != nil {
		return networkFilter("envoy.filters.network.tcp_proxy", s.passOn(*t))
	}
	m := connectionManager(s.name(), s.httpFilters())
	m.AccessLog = s.accessLogs()
	s.trace(m)
	m.HttpProtocolOptions.DefaultHostForHttp_10 = s.first().FirstHost()
	m.AppendXForwardedPort = !s.first().Forwarded.Off()
	if len(proxies) > 0 {
		trusted(m, private, proxies, s.first().Forwarded)
	} else {
		strangers(m, private, s.first().Forwarded)
	}
	return networkFilter("envoy.filters.network.http_connection_manager", m)
}

func networkFilter(name string, config proto.Message) *listenerv3.Filter {
	return &listenerv3.Filter{Name: name, ConfigType: &listenerv3.Filter_TypedConfig{TypedConfig: pack(config)}}
}

func connectionManager(name string, filters []*hcmv3.HttpFilter) *hcmv3.HttpConnectionManager {
	return &hcmv3.HttpConnectionManager{
		StatPrefix: name,
		RouteSpecifier: &hcmv3.HttpConnectionManager_Rds{
			Rds: &hcmv3.Rds{ConfigSource: ads(), RouteConfigName: name},
		},
		HttpFilters: filters,

		// Safety at the edge, of 219,000 instructions a request: 1,900 for the path,
		// 2,200 for the time of the headers, 2,000 for what strangers claim
		// (forwarded.go). The rest of this could not be measured, nor could what is
		// counted by Envoy itself (500), health, ejection and circuit breakers.
		NormalizePath:                yes(),
		MergeSlashes:                 true,
		PathWithEscapedSlashesAction: hcmv3.HttpConnectionManager_REJECT_REQUEST, // httpd: AllowEncodedSlashes Off
		LocalReplyConfig:             notFound,

		CommonHttpProtocolOptions: &corev3.HttpProtocolOptions{
			IdleTimeout:                  durationpb.New(downstreamIdle),
			MaxHeadersCount:              u32(maxHeaders),
			HeadersWithUnderscoresAction: corev3.HttpProtocolOptions_DROP_HEADER,
		},
		HttpProtocolOptions: &corev3.Http1ProtocolOptions{
			AcceptHttp_10:  true, // otherwise answered with 426
			EnableTrailers: true, // otherwise dropped
		},
		Http2ProtocolOptions: &corev3.Http2ProtocolOptions{
			MaxConcurrentStreams:        u32(maxStreams),
			InitialStreamWindowSize:     u32(streamWindow),
			InitialConnectionWindowSize: u32(connectionWindow),
		},
		StreamIdleTimeout:     durationpb.New(streamIdle),
		RequestHeadersTimeout: durationpb.New(headersTimeout),
		Proxy_100Continue:     true, // a node may refuse a body before it comes

		// 1.7 µs a request for both.
		GenerateRequestId:          wrapperspb.Bool(false),
		ServerHeaderTransformation: hcmv3.HttpConnectionManager_PASS_THROUGH,
	}
}

// httpFilters are there as long as a route of the file needs one of them; each is
// disabled, which costs nothing, until a route enables it. So a change of routes
// is a change of listeners only where it is the first of its kind.
func (s socket) httpFilters() []*hcmv3.HttpFilter {
	var all []*hcmv3.HttpFilter
	for _, f := range []struct {
		name   string
		needed bool
		config proto.Message
	}{
		{rbacFilter, s.restricts(), &rbacv3.RBAC{}},
		{h2mFilter, true, &h2mv3.Config{}},
		{sessionFilter, s.stateful(), &sessionv3.StatefulSession{}},
		{largeFilter, s.grown(filterNodes), largeLua()},
		{luaFilter, s.reverses(), reverseFilter()},
	} {
		if f.needed {
			filter := httpFilter(f.name, f.config)
			filter.Disabled = true
			all = append(all, filter)
		}
	}
	// 2 µs a request for both settings.
	return append(all, httpFilter("envoy.filters.http.router", &routerv3.Router{
		DynamicStats:         wrapperspb.Bool(false),
		SuppressEnvoyHeaders: true,
	}))
}

func httpFilter(name string, config proto.Message) *hcmv3.HttpFilter {
	return &hcmv3.HttpFilter{Name: name, ConfigType: &hcmv3.HttpFilter_TypedConfig{TypedConfig: pack(config)}}
}
