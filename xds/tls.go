package xds

import (
	"net/netip"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	tlsv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/transport_sockets/tls/v3"
	matcherv3 "github.com/envoyproxy/go-control-plane/envoy/type/matcher/v3"
	"google.golang.org/protobuf/proto"

	"usher/model"
	"usher/xds/pki"
)

// ciphers are those of Mozilla's intermediate profile that BoringSSL has. TLS
// 1.3 brings its own.
var ciphers = []string{
	"[ECDHE-ECDSA-AES128-GCM-SHA256|ECDHE-ECDSA-CHACHA20-POLY1305]",
	"[ECDHE-RSA-AES128-GCM-SHA256|ECDHE-RSA-CHACHA20-POLY1305]",
	"ECDHE-ECDSA-AES256-GCM-SHA384",
	"ECDHE-RSA-AES256-GCM-SHA384",
}

// downstreamTLS names the certificates of all listeners on the socket; Envoy
// chooses by SNI and takes the first when none fits.
func (s socket) downstreamTLS() *corev3.TransportSocket {
	if s[0].TLS == nil {
		return nil
	}
	common := serverTLS("h2", "http/1.1")
	seen := map[string]bool{}
	for _, l := range s {
		if name := l.TLS.Certificate; !seen[name] {
			seen[name] = true
			common.TlsCertificateSdsSecretConfigs = append(common.TlsCertificateSdsSecretConfigs, sds(name))
		}
	}
	return transportSocket(&tlsv3.DownstreamTlsContext{CommonTlsContext: common})
}

// serverTLS is the server side of TLS without its certificates.
func serverTLS(protocols ...string) *tlsv3.CommonTlsContext {
	return &tlsv3.CommonTlsContext{
		TlsParams: &tlsv3.TlsParameters{
			TlsMinimumProtocolVersion: tlsv3.TlsParameters_TLSv1_2,
			TlsMaximumProtocolVersion: tlsv3.TlsParameters_TLSv1_3,
			CipherSuites:              ciphers,
		},
		AlpnProtocols: protocols,
	}
}

// upstreamTLS is how a pool speaks to its nodes. The SNI is the node's host
// name, and by default the name that its certificate must carry.
func upstreamTLS(p model.Pool) *corev3.TransportSocket {
	if p.TLS == nil {
		return nil
	}
	ctx := &tlsv3.UpstreamTlsContext{
		CommonTlsContext: &tlsv3.CommonTlsContext{},
		Sni:              p.TLS.ServerName,
		AutoHostSni:      p.TLS.ServerName == "",
	}
	if p.TLS.Verify == model.VerifyCA {
		ctx.CommonTlsContext.ValidationContextType = &tlsv3.CommonTlsContext_ValidationContextSdsSecretConfig{
			ValidationContextSdsSecretConfig: sds(rootsName(p)),
		}
		ctx.AutoSniSanValidation = ownNames(p)
	}
	return transportSocket(ctx)
}

// ownNames tells whether each node can be held to its own name: the SNI must
// name it, and an IP address is no SNI.
func ownNames(p model.Pool) bool {
	if p.TLS.ServerName != "" {
		return false
	}
	for _, n := range p.Nodes {
		if n.Address.IP().IsValid() {
			return false
		}
	}
	return true
}

// rootsName is the secret with a pool's authorities. Names of the file have no
// slash, so it never is a certificate's.
func rootsName(p model.Pool) string { return filePool(p.Name) + "/roots" }

// rootsSecret says which authorities a pool trusts and which names it expects:
// the server_name, or the address of any of its nodes. Envoy puts the name of
// the very node in their place where that is possible (ownNames).
func rootsSecret(p model.Pool, roots []byte) *tlsv3.Secret {
	ctx := &tlsv3.CertificateValidationContext{TrustedCa: inline(roots)}
	seen := map[string]bool{}
	for _, name := range expectedNames(p) {
		if !seen[name] {
			seen[name] = true
			ctx.MatchTypedSubjectAltNames = append(ctx.MatchTypedSubjectAltNames, subjectAltName(name))
		}
	}
	return &tlsv3.Secret{Name: rootsName(p), Type: &tlsv3.Secret_ValidationContext{ValidationContext: ctx}}
}

func expectedNames(p model.Pool) []string {
	if p.TLS.ServerName != "" {
		return []string{p.TLS.ServerName}
	}
	var names []string
	for _, n := range p.Nodes {
		names = append(names, n.Address.Host)
	}
	return names
}

func subjectAltName(name string) *tlsv3.SubjectAltNameMatcher {
	kind := tlsv3.SubjectAltNameMatcher_DNS
	if _, err := netip.ParseAddr(name); err == nil {
		kind = tlsv3.SubjectAltNameMatcher_IP_ADDRESS
	}
	return &tlsv3.SubjectAltNameMatcher{
		SanType: kind,
		Matcher: &matcherv3.StringMatcher{MatchPattern: &matcherv3.StringMatcher_Exact{Exact: name}},
	}
}

func pairSecret(name string, p pki.Pair) *tlsv3.Secret {
	return &tlsv3.Secret{Name: name, Type: &tlsv3.Secret_TlsCertificate{TlsCertificate: &tlsv3.TlsCertificate{
		CertificateChain: inline(p.Chain),
		PrivateKey:       inline(p.Key),
	}}}
}

func inline(pem []byte) *corev3.DataSource {
	return &corev3.DataSource{Specifier: &corev3.DataSource_InlineString{InlineString: string(pem)}}
}

func sds(name string) *tlsv3.SdsSecretConfig {
	return &tlsv3.SdsSecretConfig{Name: name, SdsConfig: ads()}
}

func transportSocket(ctx proto.Message) *corev3.TransportSocket {
	return &corev3.TransportSocket{
		Name:       "envoy.transport_sockets.tls",
		ConfigType: &corev3.TransportSocket_TypedConfig{TypedConfig: pack(ctx)},
	}
}
