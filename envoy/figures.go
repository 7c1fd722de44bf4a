package envoy

import (
	"time"

	bootstrapv3 "github.com/envoyproxy/go-control-plane/envoy/config/bootstrap/v3"
	clusterv3 "github.com/envoyproxy/go-control-plane/envoy/config/cluster/v3"
	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	listenerv3 "github.com/envoyproxy/go-control-plane/envoy/config/listener/v3"
	routev3 "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"
	routerv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/router/v3"
	hcmv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/network/http_connection_manager/v3"
	tlsv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/transport_sockets/tls/v3"
	matcherv3 "github.com/envoyproxy/go-control-plane/envoy/type/matcher/v3"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

// FiguresName is the listener, and the cluster, by which an Envoy elsewhere shows
// its figures: its own requests are not among them.
const FiguresName = "usher_figures"

// figuresSocket is where the admin interface of such an Envoy is: an abstract
// socket of its network namespace. It answers the two pages and nothing else.
const figuresSocket = "@usher-figures"

// figuresReader is the name in the certificate that usher shows.
const figuresReader = "usher-figures"

var figuresPages = []string{"/stats/prometheus", "/clusters"}

// addFigures has Envoy show its figures at a port, by mutual TLS to usher alone.
func (b Bootstrap) addFigures(boot *bootstrapv3.Bootstrap) {
	boot.Admin = &bootstrapv3.Admin{Address: &corev3.Address{Address: &corev3.Address_Pipe{Pipe: &corev3.Pipe{Path: figuresSocket}}}}
	for _, page := range figuresPages {
		boot.Admin.AllowPaths = append(boot.Admin.AllowPaths,
			&matcherv3.StringMatcher{MatchPattern: &matcherv3.StringMatcher_Exact{Exact: page}},
			&matcherv3.StringMatcher{MatchPattern: &matcherv3.StringMatcher_Prefix{Prefix: page + "?"}}) // it matches the query, too
	}
	boot.StaticResources.Clusters = append(boot.StaticResources.Clusters, &clusterv3.Cluster{
		Name: FiguresName, ConnectTimeout: durationpb.New(2 * time.Second), LoadAssignment: only(FiguresName, boot.GetAdmin().GetAddress()),
	})
	boot.StaticResources.Listeners = append(boot.StaticResources.Listeners, &listenerv3.Listener{
		Name: FiguresName, Address: socketAddress("0.0.0.0", uint32(b.Figures)),
		FilterChains: []*listenerv3.FilterChain{{
			TransportSocket: b.figuresTLS(),
			Filters: []*listenerv3.Filter{{Name: "envoy.filters.network.http_connection_manager", ConfigType: &listenerv3.Filter_TypedConfig{
				TypedConfig: pack(figuresManager()),
			}}},
		}},
	})
}

func figuresManager() *hcmv3.HttpConnectionManager {
	host := &routev3.VirtualHost{Name: FiguresName, Domains: []string{"*"}}
	for _, page := range figuresPages {
		host.Routes = append(host.Routes, &routev3.Route{
			Match:  &routev3.RouteMatch{PathSpecifier: &routev3.RouteMatch_Path{Path: page}},
			Action: &routev3.Route_Route{Route: &routev3.RouteAction{ClusterSpecifier: &routev3.RouteAction_Cluster{Cluster: FiguresName}}},
		})
	}
	return &hcmv3.HttpConnectionManager{
		StatPrefix:     FiguresName,
		RouteSpecifier: &hcmv3.HttpConnectionManager_RouteConfig{RouteConfig: &routev3.RouteConfiguration{Name: FiguresName, VirtualHosts: []*routev3.VirtualHost{host}}},
		HttpFilters:    []*hcmv3.HttpFilter{{Name: "envoy.filters.http.router", ConfigType: &hcmv3.HttpFilter_TypedConfig{TypedConfig: pack(&routerv3.Router{})}}},
	}
}

// figuresTLS shows the certificate that proves this Envoy to usher, and lets in
// whoever proves to be usher.
func (b Bootstrap) figuresTLS() *corev3.TransportSocket {
	return &corev3.TransportSocket{
		Name: "envoy.transport_sockets.tls",
		ConfigType: &corev3.TransportSocket_TypedConfig{TypedConfig: pack(&tlsv3.DownstreamTlsContext{
			RequireClientCertificate: wrapperspb.Bool(true),
			CommonTlsContext:         b.internalTLS(figuresReader),
		})},
	}
}
