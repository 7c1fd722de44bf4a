package pki

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"path/filepath"
	"sync"
	"time"
)

// The names on the xDS port. Envoys find ServerName in usher's certificate,
// usher finds ClientName in theirs.
const (
	ServerName = "usher-xds"
	ClientName = "envoy"
)

// internalLifetime is the life of the leaves on the xDS port.
const internalLifetime = 90 * 24 * time.Hour

// Internal is the authority of the xDS port. It has nothing to do with the
// local one: whoever trusts that, and whatever it has issued, gets no secret.
type Internal struct {
	CA Authority
}

// Internal is the internal authority, made at its first use as Authority is.
func (s Store) Internal(now time.Time) (in Internal, made bool, err error) {
	inner := Store{ReadOnly: s.ReadOnly}
	if s.Dir != "" {
		inner.Dir = filepath.Join(s.Dir, "internal")
	}
	in.CA, made, err = inner.authority(AuthorityRequest{Name: internalName, Lifetime: AuthorityLifetime}, now)
	if err == nil {
		err = in.CA.Closed() // the xDS port cannot do without the key
	}
	return in, made, err
}

// ServerTLS is the server side of the xDS port: TLS 1.3 only, for clients with
// a certificate that the internal authority issued for clients. The server's
// own certificate lives in memory and is looked at in every handshake: a
// renewal needs no restart. now is asked in every handshake too.
func (in Internal) ServerTLS(now func() time.Time) *tls.Config {
	roots := x509.NewCertPool()
	roots.AddCert(in.CA.Certificate)
	s := &standing{ca: in.CA, request: Request{CommonName: ServerName, Hosts: []string{ServerName}, Lifetime: internalLifetime}}
	return &tls.Config{
		MinVersion:     tls.VersionTLS13,
		ClientAuth:     tls.RequireAndVerifyClientCert,
		ClientCAs:      roots,
		NextProtos:     []string{"h2"},
		Time:           now,
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return s.certificate(now()) },
	}
}

// standing is a certificate that lives in memory.
type standing struct {
	ca      Authority
	request Request

	mu   sync.Mutex
	cert *tls.Certificate
}

// certificate is the present one, issued anew where it is due.
func (s *standing) certificate(now time.Time) (*tls.Certificate, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.cert != nil && fresh(s.cert.Leaf, s.request, s.ca, now) {
		return s.cert, nil
	}
	p, err := s.ca.Issue(s.request, now)
	if err != nil {
		return nil, fmt.Errorf("issue the certificate %s: %w", s.request.CommonName, err)
	}
	cert, err := tls.X509KeyPair(p.Chain, p.Key)
	if err != nil {
		return nil, err
	}
	s.cert = &cert
	return s.cert, nil
}
