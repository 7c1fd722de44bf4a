package pki

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"time"
)

// FiguresName is in the certificate by which usher proves to an Envoy elsewhere
// that it may see its figures.
const FiguresName = "usher-figures"

// FiguresTLS is the client side of the port at which an Envoy elsewhere shows its
// figures: TLS 1.3 with a certificate that only usher has, to a server that has the
// client certificate of the xDS port. now is asked in every handshake.
func (in Internal) FiguresTLS(now func() time.Time) *tls.Config {
	s := &standing{ca: in.CA, request: Request{CommonName: FiguresName, Hosts: []string{FiguresName}, Lifetime: internalLifetime, Use: ForClients}}
	return &tls.Config{
		MinVersion: tls.VersionTLS13,
		// What is demanded of the server is more than that it has a name: see below.
		InsecureSkipVerify:   true, //nolint:gosec // G402: VerifyConnection verifies
		VerifyConnection:     func(c tls.ConnectionState) error { return in.isClient(c.PeerCertificates, now()) },
		GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return s.certificate(now()) },
	}
}

// isClient tells whether a chain is that of an Envoy that may ask at the xDS port.
func (in Internal) isClient(chain []*x509.Certificate, now time.Time) error {
	if len(chain) == 0 {
		return errors.New("it shows no certificate")
	}
	roots := x509.NewCertPool()
	roots.AddCert(in.CA.Certificate)
	_, err := chain[0].Verify(x509.VerifyOptions{
		Roots: roots, CurrentTime: now, DNSName: ClientName, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	})
	return err
}
