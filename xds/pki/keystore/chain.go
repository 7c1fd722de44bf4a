package keystore

import (
	"bytes"
	"crypto"
	"crypto/x509"
	"errors"
)

// chainOf is the chain of a key, its own certificate first. Where none fits
// the key, the certificates stay as they are.
func chainOf(key crypto.Signer, certs []*x509.Certificate) []*x509.Certificate {
	if key == nil {
		return certs
	}
	public, _ := key.Public().(interface{ Equal(crypto.PublicKey) bool })
	var chain []*x509.Certificate
	for _, cert := range certs {
		if public != nil && public.Equal(cert.PublicKey) {
			chain = append(chain, cert)
			break
		}
	}
	for chain != nil && len(chain) <= len(certs) {
		last := chain[len(chain)-1]
		next := issuerOf(last, certs)
		if next == nil {
			return chain
		}
		chain = append(chain, next)
	}
	return certs
}

// issuerOf is the certificate that issued another one; nil for a root.
func issuerOf(cert *x509.Certificate, among []*x509.Certificate) *x509.Certificate {
	if bytes.Equal(cert.RawIssuer, cert.RawSubject) {
		return nil
	}
	for _, by := range among {
		old := x509.InsecureAlgorithmError(0)
		if err := cert.CheckSignatureFrom(by); bytes.Equal(cert.RawIssuer, by.RawSubject) && (err == nil || errors.As(err, &old)) {
			return by
		}
	}
	return nil
}
