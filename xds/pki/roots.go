package pki

import (
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
)

// systemBundles are the usual places of the system's roots: Debian and Alpine,
// RHEL and Fedora, SUSE, CentOS's older link, Alpine's libressl.
var systemBundles = []string{
	"/etc/ssl/certs/ca-certificates.crt",
	"/etc/pki/tls/certs/ca-bundle.crt",
	"/etc/ssl/ca-bundle.pem",
	"/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
	"/etc/ssl/cert.pem",
}

// ParseRoots reads the authorities of a PEM bundle and writes each of them
// once, without comments; count is how many they are. A private key in it, a
// broken block, or no certificate at all is a *Fault in InCA.
func ParseRoots(text []byte) (roots []byte, count int, err error) {
	all, err := blocks(InCA, text)
	if err != nil {
		return nil, 0, err
	}
	for i, b := range all {
		if b.Type != "CERTIFICATE" {
			return nil, 0, &Fault{InCA, fmt.Sprintf("PEM block %d is %q, not a certificate", i+1, b.Type), "a bundle of authorities holds certificates only"}
		}
	}
	certs, err := certificates(InCA, text)
	if err != nil {
		return nil, 0, err
	}
	roots, count = eachOnce(certs)
	return roots, count, nil
}

// eachOnce writes certificates without repeating one.
func eachOnce(certs []*x509.Certificate) (text []byte, count int) {
	seen := map[string]bool{}
	for _, c := range certs {
		if !seen[string(c.Raw)] {
			seen[string(c.Raw)] = true
			text = append(text, certificatesPEM(c)...)
		}
	}
	return text, len(seen)
}

// LoadRoots reads a PEM bundle of at most 1 MiB as ParseRoots does.
func LoadRoots(file string) ([]byte, error) {
	text, err := readNamed(InCA, file)
	if err != nil {
		return nil, err
	}
	roots, _, err := ParseRoots(text)
	return roots, err
}

// SystemRoots is the PEM bundle of the authorities that the system trusts:
// $SSL_CERT_FILE where it is set, else the first of the usual places. It is
// empty, without an error, where the system has none. What cannot be read in
// it is left out: old bundles hold certificates that break RFC 5280, such as
// by a negative serial number, and that is no fault of the operator.
func SystemRoots() ([]byte, error) {
	if file := os.Getenv("SSL_CERT_FILE"); file != "" {
		roots, err := readableRoots(file)
		if err != nil {
			return nil, fmt.Errorf("$SSL_CERT_FILE: %w", err)
		}
		return roots, nil
	}
	return firstRoots(systemBundles)
}

// firstRoots is the first bundle that exists.
func firstRoots(files []string) ([]byte, error) {
	for _, file := range files {
		roots, err := readableRoots(file)
		if !errors.Is(err, fs.ErrNotExist) {
			return roots, err
		}
	}
	return nil, nil
}

// readableRoots are the certificates of a bundle that can be read.
func readableRoots(file string) ([]byte, error) {
	text, err := read(file)
	if err != nil {
		return nil, err
	}
	var certs []*x509.Certificate
	for b, rest := pem.Decode(text); b != nil; b, rest = pem.Decode(rest) {
		if c, err := x509.ParseCertificate(b.Bytes); err == nil && b.Type == "CERTIFICATE" {
			certs = append(certs, c)
		}
	}
	roots, _ := eachOnce(certs)
	return roots, nil
}
