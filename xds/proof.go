package xds

import (
	"cmp"
	"slices"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	listenerv3 "github.com/envoyproxy/go-control-plane/envoy/config/listener/v3"
	routev3 "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"
	inspectorv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/listener/tls_inspector/v3"
	hcmv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/network/http_connection_manager/v3"
	tlsv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/transport_sockets/tls/v3"
	"google.golang.org/protobuf/types/known/durationpb"

	"usher/model"
	"usher/xds/pki/acme"
)

// Where hosts are proven to ACME directories. A question is one push of routes
// (http-01) or secrets (tls-alpn-01); listeners never change for one, for that
// would drain their connections.

// proven are the hosts that this socket proves by tls-alpn-01, sorted: those of
// the certificates it shows.
func (s socket) proven(all []model.Certificate) []string {
	var hosts []string
	for _, c := range all {
		shown := slices.ContainsFunc(s.listeners, func(l model.Listener) bool { return l.TLS != nil && slices.Contains(l.TLS.Shown(), c.Name) })
		if shown && c.ACME != nil && c.ACME.Challenge == model.TLSALPN01 {
			hosts = append(hosts, c.Hosts...)
		}
	}
	slices.Sort(hosts)
	return slices.Compact(hosts)
}

// proofName is the secret with a host's challenge. Names of the file have no
// slash, so it never is a certificate's.
func proofName(host string) string { return host + "/" + acme.Protocol }

func proofSecret(host string, m Material) *tlsv3.Secret {
	pair := m.Between
	for _, c := range m.Challenges {
		if c.Host == host && c.Pair.Leaf != nil {
			pair = c.Pair
		}
	}
	return pairSecret(proofName(host), pair)
}

// proofChain answers a directory's handshake; Envoy picks the host's certificate
// by SNI, and no request is served. It is matched by the protocol alone: Envoy
// matches server names before protocols and does not go back, so that a chain
// with the names of the hosts would turn their ordinary clients away.
func proofChain(name string, hosts []string) *listenerv3.FilterChain {
	common := serverTLS(model.TLS12, acme.Protocol)
	for _, h := range hosts {
		common.TlsCertificateSdsSecretConfigs = append(common.TlsCertificateSdsSecretConfigs, sds(proofName(h)))
	}
	nothing := connectionManager(name+"/"+acme.Protocol, nil)
	nothing.RouteSpecifier = &hcmv3.HttpConnectionManager_RouteConfig{RouteConfig: &routev3.RouteConfiguration{Name: "nothing"}}
	return &listenerv3.FilterChain{
		FilterChainMatch:              &listenerv3.FilterChainMatch{ApplicationProtocols: []string{acme.Protocol}},
		TransportSocket:               transportSocket(&tlsv3.DownstreamTlsContext{CommonTlsContext: common}),
		TransportSocketConnectTimeout: durationpb.New(handshakeTimeout),
		Filters: []*listenerv3.Filter{{
			Name:       "envoy.filters.network.http_connection_manager",
			ConfigType: &listenerv3.Filter_TypedConfig{TypedConfig: pack(nothing)},
		}},
	}
}

// tlsInspector reads the protocols of a handshake before a chain is chosen.
func tlsInspector() *listenerv3.ListenerFilter {
	return &listenerv3.ListenerFilter{
		Name:       "envoy.filters.listener.tls_inspector",
		ConfigType: &listenerv3.ListenerFilter_TypedConfig{TypedConfig: pack(&inspectorv3.TlsInspector{})},
	}
}

// proofs answer a directory's questions in plain HTTP, before all other routes.
func proofs(l model.Listener, open []acme.Challenge) []*routev3.Route {
	var all []*routev3.Route
	open = slices.SortedFunc(slices.Values(open), func(a, b acme.Challenge) int { return cmp.Compare(a.Path, b.Path) })
	for _, c := range open {
		if c.Path == "" || l.TLS != nil || !l.AnswersFor(c.Host) {
			continue
		}
		all = append(all, &routev3.Route{
			Match: &routev3.RouteMatch{PathSpecifier: &routev3.RouteMatch_Path{Path: c.Path}},
			Action: &routev3.Route_DirectResponse{DirectResponse: &routev3.DirectResponseAction{
				Status: 200,
				Body:   &corev3.DataSource{Specifier: &corev3.DataSource_InlineString{InlineString: c.Answer}},
			}},
		})
	}
	return all
}
