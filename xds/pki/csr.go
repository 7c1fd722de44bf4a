package pki

import (
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"slices"
	"strings"
	"time"
)

// NewRequest makes a key and a PKCS#10 request (RFC 2986) with which another
// authority is asked for a certificate. Both are PEM.
func NewRequest(r Request) (csr, key []byte, err error) {
	if len(r.CommonName) > maxCommonName {
		return nil, nil, fmt.Errorf("the common name %q is longer than %d characters", r.CommonName, maxCommonName)
	}
	names, ips, err := subjects(r.Hosts)
	if err != nil {
		return nil, nil, err
	}
	signer, key, err := NewKey(r.Key)
	if err != nil {
		return nil, nil, err
	}
	der, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{
		Subject: pkix.Name{CommonName: r.CommonName}, DNSNames: names, IPAddresses: ips,
	}, signer)
	if err != nil {
		return nil, nil, err
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE REQUEST", Bytes: der}), key, nil
}

// ParseRequest reads a PKCS#10 request in PEM and checks that who made it has
// the key. Its names are those of the subjectAltName, or where it has none the
// common name, as older tools write it.
func ParseRequest(text []byte) (*x509.CertificateRequest, []string, error) {
	block, _ := pem.Decode(text)
	if block == nil || !strings.HasSuffix(block.Type, "CERTIFICATE REQUEST") {
		return nil, nil, fmt.Errorf("there is no certificate request in the file: it begins with -----BEGIN CERTIFICATE REQUEST-----")
	}
	csr, err := x509.ParseCertificateRequest(block.Bytes)
	if err != nil {
		return nil, nil, fmt.Errorf("the request cannot be read: %w", err)
	}
	if err := csr.CheckSignature(); err != nil {
		return nil, nil, fmt.Errorf("the request is not signed by its own key: %w", err)
	}
	if len(csr.EmailAddresses)+len(csr.URIs) > 0 {
		return nil, nil, fmt.Errorf("the request wants mail addresses or URIs; only DNS names and IP addresses are signed here")
	}
	hosts := slices.Clone(csr.DNSNames)
	for _, ip := range csr.IPAddresses {
		hosts = append(hosts, ip.String())
	}
	if len(hosts) == 0 && csr.Subject.CommonName != "" {
		hosts = []string{csr.Subject.CommonName}
	}
	return csr, hosts, usable(csr.PublicKey)
}

// Sign issues for the key of a request and enters the certificate in the
// ledger. allowed are the hosts that it may be for, also *.NAME: any other one
// is an error that names it. Nothing of the request but its key and its hosts
// goes into the certificate.
func (s Store) Sign(text []byte, r Request, allowed []string, now time.Time) (Pair, error) {
	csr, hosts, err := ParseRequest(text)
	if err != nil {
		return Pair{}, err
	}
	for _, h := range hosts {
		if !slices.ContainsFunc(allowed, func(a string) bool { return covers(a, h) }) {
			return Pair{}, fmt.Errorf("the request is for %s, which is not allowed here: name it by --allow if it is right (allowed: %s)", h, strings.Join(allowed, ", "))
		}
	}
	r.Hosts, r.CommonName = hosts, commonName(hosts)
	ca, _, err := s.Authorities(now)
	if err != nil {
		return Pair{}, err
	}
	return s.entered(r, func(r Request) (Pair, error) { return ca.Issuing.certify(r, csr.PublicKey, now) })
}

// covers tells whether an allowed name is a host's, or a wildcard of its parent.
func covers(allowed, host string) bool {
	allowed, host = strings.ToLower(allowed), strings.ToLower(host)
	_, parent, _ := strings.Cut(host, ".")
	return allowed == host || parent != "" && allowed == "*."+parent
}
