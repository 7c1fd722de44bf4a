package pki

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"fmt"
	"strings"
	"time"
)

// Fingerprint is the SHA-256 of a certificate, as openssl and keytool print it.
func Fingerprint(c *x509.Certificate) string {
	sum := sha256.Sum256(c.Raw)
	return strings.ReplaceAll(fmt.Sprintf("% X", sum[:]), " ", ":")
}

// KeyKind names the kind of a certificate's key for people, such as "ECDSA P-256".
func KeyKind(c *x509.Certificate) string { return keyKind(c.PublicKey) }

func keyKind(key crypto.PublicKey) string {
	switch k := key.(type) {
	case *rsa.PublicKey:
		return fmt.Sprintf("RSA %d", k.N.BitLen())
	case *ecdsa.PublicKey:
		return "ECDSA " + k.Curve.Params().Name
	case ed25519.PublicKey:
		return "Ed25519"
	}
	return "unknown"
}

// Issuer names who issued a certificate, for people: by the first digits of its
// key as well, where it was made here, so that two of one name are two.
func Issuer(c *x509.Certificate) string {
	switch {
	case selfSigned(c):
		return "itself"
	case c.Issuer.CommonName == "":
		return c.Issuer.String()
	}
	return strings.TrimSpace(c.Issuer.CommonName + " " + c.Issuer.SerialNumber)
}

// Facts are what a list says of a certificate.
type Facts struct {
	Names    []string // the subjectAltName, or the subject of an authority
	Issuer   string
	Key      string
	DaysLeft int // negative: expired
}

// FactsOf reads them.
func FactsOf(c *x509.Certificate, now time.Time) Facts {
	names := Names(c)
	if len(names) == 0 {
		names = []string{c.Subject.String()}
	}
	return Facts{Names: names, Issuer: Issuer(c), Key: KeyKind(c), DaysLeft: DaysLeft(c, now)}
}
