package pki

import (
	"crypto/tls"
	"crypto/x509"
)

// ClientTLS is how a client speaks to a server that these authorities (PEM) vouch
// for, and no others; without any, those of the system do.
func ClientTLS(roots []byte) *tls.Config {
	c := &tls.Config{MinVersion: tls.VersionTLS12}
	if roots != nil {
		c.RootCAs = x509.NewCertPool()
		c.RootCAs.AppendCertsFromPEM(roots)
	}
	return c
}
