package pki

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"errors"
	"fmt"
	"math/big"
	"time"
)

const (
	// AuthorityLifetime is how long a new authority is valid: ten years.
	AuthorityLifetime = 10 * 365 * 24 * time.Hour
	// MinLifetime is the shortest life of a leaf.
	MinLifetime = time.Minute
	// backdated is how far before now a certificate begins at most, for
	// clients whose clocks are slow; a short life gives a tenth of itself.
	backdated = time.Hour
)

// Authority is a certificate authority with its key. The zero value issues
// nothing.
type Authority struct {
	Certificate *x509.Certificate
	PEM         []byte // the certificate: what its clients trust

	key    crypto.Signer
	keyPEM []byte
}

// NewAuthority makes a self-signed ECDSA P-256 authority that issues leaves
// only (path length 0). Its subject is the name and, in the serialNumber
// attribute, the first digits of its key identifier: two authorities of one
// name are two to every client.
func NewAuthority(name string, lifetime time.Duration, now time.Time) (Authority, error) {
	key, keyPEM, err := NewKey()
	if err != nil {
		return Authority{}, err
	}
	id, err := keyID(&key.PublicKey)
	if err != nil {
		return Authority{}, err
	}
	from := now.Truncate(time.Second).Add(-backdate(lifetime))
	template := &x509.Certificate{
		Subject:               pkix.Name{CommonName: name, SerialNumber: hex.EncodeToString(id[:4])},
		NotBefore:             from,
		NotAfter:              from.Add(lifetime.Truncate(time.Second)),
		KeyUsage:              x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
		BasicConstraintsValid: true,
		IsCA:                  true,
		MaxPathLenZero:        true,
		SubjectKeyId:          id,
	}
	cert, err := sign(template, template, &key.PublicKey, key)
	return Authority{Certificate: cert, PEM: certificatesPEM(cert), key: key, keyPEM: keyPEM}, err
}

// sign gives the template a random serial number of 128 bits (RFC 5280,
// 4.1.2.2: positive, at most 20 octets) and signs it.
func sign(template, issuer *x509.Certificate, key *ecdsa.PublicKey, by crypto.Signer) (*x509.Certificate, error) {
	most := new(big.Int).Lsh(big.NewInt(1), 128)
	serial, err := rand.Int(rand.Reader, most)
	if err != nil {
		return nil, err
	}
	template.SerialNumber = serial.Add(serial, big.NewInt(1))
	der, err := x509.CreateCertificate(rand.Reader, template, issuer, key, by)
	if err != nil {
		return nil, err
	}
	return x509.ParseCertificate(der)
}

// backdate is how far before now a certificate of some life begins.
func backdate(lifetime time.Duration) time.Duration {
	return min(lifetime/10, backdated).Truncate(time.Second)
}

// Issue makes a leaf with a new key. The life counts from NotBefore, which
// lies a little back (a tenth of the life, at most an hour), and ends with the
// authority's at the latest.
func (a Authority) Issue(r Request, now time.Time) (Pair, error) {
	key, keyPEM, err := NewKey()
	if err != nil {
		return Pair{}, err
	}
	return a.issue(r, key, keyPEM, now)
}

func (a Authority) issue(r Request, key *ecdsa.PrivateKey, keyPEM []byte, now time.Time) (Pair, error) {
	if a.key == nil {
		return Pair{}, errors.New("there is no authority to issue a certificate")
	}
	template, err := r.template(&key.PublicKey)
	if err != nil {
		return Pair{}, err
	}
	template.NotBefore, template.NotAfter, err = a.validity(r.Lifetime, now)
	if err != nil {
		return Pair{}, err
	}
	leaf, err := sign(template, a.Certificate, &key.PublicKey, a.key)
	if err != nil {
		return Pair{}, err
	}
	return Pair{Chain: certificatesPEM(leaf), Key: keyPEM, Leaf: leaf}, nil
}

// validity is the life of a leaf issued now, within that of the authority. A
// leaf cut short by the authority's end begins less far back, so that it is
// not due for renewal at once.
func (a Authority) validity(lifetime time.Duration, now time.Time) (from, to time.Time, err error) {
	now, end := now.Truncate(time.Second), a.Certificate.NotAfter
	if !now.Before(end) {
		return from, to, fmt.Errorf("the authority %s expired on %s", named(a.Certificate), end.UTC().Format(time.RFC3339))
	}
	from = later(now.Add(-backdate(lifetime)), a.Certificate.NotBefore)
	to = from.Add(lifetime.Truncate(time.Second))
	if to.After(end) {
		from, to = later(now.Add(-backdate(end.Sub(now))), a.Certificate.NotBefore), end
	}
	return from, to, nil
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
