package xds

import (
	"slices"
	"strings"

	routev3 "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"
	tlsv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/transport_sockets/tls/v3"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"usher/model"
)

// clientFormats are how Envoy writes what a node is told of a client's
// certificate (access log documentation, command operators). Each is empty
// where the client showed none.
var clientFormats = map[model.ClientFormat]string{
	model.FormatPEM:         "%DOWNSTREAM_PEER_CERT%",
	model.FormatSubject:     "%DOWNSTREAM_PEER_SUBJECT%",
	model.FormatFingerprint: "%DOWNSTREAM_PEER_FINGERPRINT_256%",
}

// client is what the listeners on the socket, all of them alike, want of
// clients; nil is nothing.
func (s socket) client() *model.ClientTLS {
	if s.first().TLS == nil {
		return nil
	}
	return s.first().TLS.Client
}

// askClients makes Envoy ask for a certificate. Whatever is shown is verified:
// without trust_chain_verification an untrusted one ends the handshake. No
// session is resumed: a resumed one brings its certificate along unverified, days
// after it has expired (tried; session_timeout ends those of TLS 1.2 alone). A
// full handshake of TLS 1.3 takes no more round trips.
func (s socket) askClients(ctx *tlsv3.DownstreamTlsContext) {
	t := s.client()
	if t == nil {
		return
	}
	ctx.CommonTlsContext.ValidationContextType = &tlsv3.CommonTlsContext_ValidationContextSdsSecretConfig{
		ValidationContextSdsSecretConfig: sds(s.clientsName()),
	}
	ctx.SessionTicketKeysType = &tlsv3.DownstreamTlsContext_DisableStatelessSessionResumption{DisableStatelessSessionResumption: true}
	ctx.DisableStatefulSessionResumption = true
	ctx.RequireClientCertificate = wrapperspb.Bool(t.Mode == model.ClientRequire)
}

// unverified refuses requests for paths whose connection has no verified
// certificate. It asks the connection, not the name of the handshake: a client
// may send requests for several hosts of one address over one connection.
// Envoy's `validated` is false for resumed sessions, of which there are none
// (askClients).
func unverified(pattern string) *routev3.Route {
	r := refuse(pattern, 403)
	r.Match.TlsContext = &routev3.RouteMatch_TlsContextMatchOptions{Validated: wrapperspb.Bool(false)}
	return r
}

// clientsName is the secret with the authorities of clients; see rootsName.
func (s socket) clientsName() string { return s.name() + "/clients" }

func clientsSecret(name string, roots []byte) *tlsv3.Secret {
	return &tlsv3.Secret{Name: name, Type: &tlsv3.Secret_ValidationContext{
		ValidationContext: &tlsv3.CertificateValidationContext{TrustedCa: inline(roots)},
	}}
}

// clientHeaders are the headers by which nodes are told of a client's
// certificate. A node believes them whichever way a request came, so no
// listener lets a client set one, and the default name is never let through: a
// node may believe it without being told to. A header with underscores is
// dropped anyway, but a node that takes - and _ for the same (as CGI does) would
// take the spelling with hyphens for one that is told with underscores.
func clientHeaders(ls []model.Listener) []string {
	names := []string{model.DefaultClientHeader}
	for _, l := range ls {
		if l.TLS != nil && l.TLS.Client != nil {
			names = append(names, l.TLS.Client.Header, strings.ReplaceAll(l.TLS.Client.Header, "_", "-"))
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}
