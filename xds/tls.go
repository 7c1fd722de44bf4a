package xds

import (
	"net/netip"

	clusterv3 "github.com/envoyproxy/go-control-plane/envoy/config/cluster/v3"
	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	tlsv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/transport_sockets/tls/v3"
	matcherv3 "github.com/envoyproxy/go-control-plane/envoy/type/matcher/v3"
	"google.golang.org/protobuf/proto"

	"usher/model"
	"usher/xds/pki"
)

// ciphers are those of Mozilla's intermediate profile for TLS 1.2 (its
// guidelines 5.7) but for the three with DHE, which BoringSSL lacks. TLS 1.3
// brings its own.
var ciphers = []string{
	"[ECDHE-ECDSA-AES128-GCM-SHA256|ECDHE-ECDSA-CHACHA20-POLY1305]",
	"[ECDHE-RSA-AES128-GCM-SHA256|ECDHE-RSA-CHACHA20-POLY1305]",
	"ECDHE-ECDSA-AES256-GCM-SHA384",
	"ECDHE-RSA-AES256-GCM-SHA384",
}

// groups are those of the profile, the hybrid against quantum computers first,
// as browsers have it. Envoy's default has no P-384.
var groups = []string{"X25519MLKEM768", "X25519", "P-256", "P-384"}

func tlsParameters(least model.TLSVersion) *tlsv3.TlsParameters {
	p := &tlsv3.TlsParameters{
		TlsMinimumProtocolVersion: tlsv3.TlsParameters_TLSv1_3,
		TlsMaximumProtocolVersion: tlsv3.TlsParameters_TLSv1_3,
		EcdhCurves:                groups,
	}
	if least == model.TLS12 {
		p.TlsMinimumProtocolVersion = tlsv3.TlsParameters_TLSv1_2
		p.CipherSuites = ciphers
	}
	return p
}

// sessionKeys is how many TLS sessions with its nodes a pool keeps. A session of
// TLS 1.3 resumes once, so there must be as many as connections may come at
// once: of 40 at a time, 40 resumed with it and 9 with Envoy's default of 1.
// The store is the pool's, not the node's: with several nodes the first one that
// comes to hand is tried, and a node that doesn't know it shakes hands in full.
const sessionKeys = 64

// downstreamTLS names the certificates of all listeners on the socket; Envoy
// chooses by SNI and takes the first when none fits.
func (s socket) downstreamTLS() *corev3.TransportSocket {
	if s.first().TLS == nil {
		return nil
	}
	protocols := []string{"h2", "http/1.1"}
	if s.first().TCP != nil {
		protocols = nil
	}
	common := serverTLS(s.first().TLS.MinVersion, protocols...)
	seen := map[string]bool{}
	for _, l := range s.listeners {
		for _, name := range l.TLS.Shown() {
			if !seen[name] {
				seen[name] = true
				common.TlsCertificateSdsSecretConfigs = append(common.TlsCertificateSdsSecretConfigs, sds(name))
			}
		}
	}
	ctx := &tlsv3.DownstreamTlsContext{CommonTlsContext: common}
	if len(s.first().TLS.Shown()) > 1 {
		// The first certificate alone would be of one kind, and a client without
		// SNI might know only the other.
		ctx.FullScanCertsOnSniMismatch = yes()
	}
	s.askClients(ctx)
	return transportSocket(ctx)
}

// serverTLS is the server side of TLS without its certificates.
func serverTLS(least model.TLSVersion, protocols ...string) *tlsv3.CommonTlsContext {
	return &tlsv3.CommonTlsContext{TlsParams: tlsParameters(least), AlpnProtocols: protocols}
}

// upstreamTLS is how a pool speaks to its nodes. The SNI is the node's host
// name, and by default the name that its certificate must carry.
func upstreamTLS(p model.Pool) *corev3.TransportSocket {
	if p.TLS == nil {
		return nil
	}
	ctx := &tlsv3.UpstreamTlsContext{
		CommonTlsContext: &tlsv3.CommonTlsContext{TlsParams: nodeParameters()},
		Sni:              p.TLS.ServerName,
		AutoHostSni:      hostIsSNI(p),
		MaxSessionKeys:   u32(sessionKeys),
	}
	if name := p.TLS.Certificate; name != "" {
		ctx.CommonTlsContext.TlsCertificateSdsSecretConfigs = []*tlsv3.SdsSecretConfig{sds(name)}
	}
	switch p.TLS.Verify {
	case model.VerifyCA:
		ctx.CommonTlsContext.ValidationContextType = validation(rootsName(p))
		ctx.AutoSniSanValidation = ownNames(p)
	case model.VerifyPin:
		ctx.CommonTlsContext.ValidationContextType = validation(pinsName(p))
	case model.VerifyNone: // without a validation context Envoy accepts anything
	}
	return transportSocket(ctx)
}

// hostIsSNI tells whether the SNI is what the endpoint is called.
func hostIsSNI(p model.Pool) bool {
	return p.TLS.ServerName == "" && (p.Host != model.HostNode || !ownPort(p))
}

// validation says that a secret holds what a node's certificate must be: other
// authorities or pins are then no change of the cluster, which would drop its
// connections.
func validation(secret string) *tlsv3.CommonTlsContext_ValidationContextSdsSecretConfig {
	return &tlsv3.CommonTlsContext_ValidationContextSdsSecretConfig{ValidationContextSdsSecretConfig: sds(secret)}
}

// nodeParameters lift Envoy's limit of TLS 1.2 towards nodes.
func nodeParameters() *tlsv3.TlsParameters {
	return &tlsv3.TlsParameters{TlsMaximumProtocolVersion: tlsv3.TlsParameters_TLSv1_3}
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
	for _, name := range expectedNames(p) {
		ctx.MatchTypedSubjectAltNames = append(ctx.MatchTypedSubjectAltNames, subjectAltName(name))
	}
	return &tlsv3.Secret{Name: rootsName(p), Type: &tlsv3.Secret_ValidationContext{ValidationContext: ctx}}
}

// pinsName is the secret with a pool's pins.
func pinsName(p model.Pool) string { return filePool(p.Name) + "/pins" }

// pinsSecret says which keys a node may have. There must be no
// trust_chain_verification: ACCEPT_UNTRUSTED beside them, for that lets a wrong
// key pass as well; without a trusted_ca Envoy looks at nothing but the key,
// not even at the dates.
func pinsSecret(p model.Pool) *tlsv3.Secret {
	ctx := &tlsv3.CertificateValidationContext{}
	for _, pin := range p.TLS.Pins {
		ctx.VerifyCertificateSpki = append(ctx.VerifyCertificateSpki, pin.Hash())
	}
	return &tlsv3.Secret{Name: pinsName(p), Type: &tlsv3.Secret_ValidationContext{ValidationContext: ctx}}
}

// NodeNames are the names of which a node's certificate must carry one where
// its pool has verify: ca.
func NodeNames(p model.Pool, n model.Node) []string {
	if ownNames(p) {
		return []string{n.Address.Host}
	}
	return expectedNames(p)
}

// NodeSNI is the server name that Envoy sends to a node; an IP address is none.
func NodeSNI(p model.Pool, n model.Node) string {
	switch {
	case p.TLS != nil && p.TLS.ServerName != "":
		return p.TLS.ServerName
	case n.Address.IP().IsValid(), p.TLS != nil && !hostIsSNI(p):
		return ""
	}
	return n.Address.Host
}

func expectedNames(p model.Pool) []string {
	if p.TLS.ServerName != "" {
		return []string{p.TLS.ServerName}
	}
	var names []string
	seen := map[string]bool{}
	for _, n := range p.Nodes {
		if name := n.Address.Host; !seen[name] {
			seen[name] = true
			names = append(names, name)
		}
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

// secretsOf are the secrets that a cluster names.
func secretsOf(m proto.Message) (names []string) {
	c, ok := m.(*clusterv3.Cluster)
	if !ok || c.TransportSocket == nil {
		return nil
	}
	ctx := &tlsv3.UpstreamTlsContext{}
	unpack(c.TransportSocket, ctx)
	return secretsIn(ctx.CommonTlsContext)
}

func secretsIn(c *tlsv3.CommonTlsContext) (names []string) {
	for _, s := range c.GetTlsCertificateSdsSecretConfigs() {
		names = append(names, s.Name)
	}
	if v := c.GetValidationContextSdsSecretConfig(); v != nil {
		names = append(names, v.Name)
	}
	return names
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
