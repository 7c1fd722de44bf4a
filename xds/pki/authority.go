package pki

import (
	"cmp"
	"crypto"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"errors"
	"fmt"
	"math/big"
	"time"

	"usher/xds/pki/keystore"
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

// Authority is a certificate authority, with its key where it may issue. The
// zero value issues nothing.
type Authority struct {
	Certificate *x509.Certificate
	PEM         []byte // the certificate: what its clients trust

	key    crypto.Signer
	keyPEM []byte // as it is kept: it may be under a passphrase
	closed error  // why there is no key, and what to do about it
}

// Closed is why an authority cannot issue now, and what to do: its key is not
// there, or under a passphrase. It is nil where it can.
func (a Authority) Closed() error {
	if a.key != nil {
		return nil
	}
	return cmp.Or(a.closed, errors.New("there is no authority to issue a certificate"))
}

// NewAuthority makes a self-signed ECDSA P-256 authority that issues leaves
// only (path length 0). Its subject is the name and, in the serialNumber
// attribute, the first digits of its key identifier: two authorities of one
// name are two to every client.
func NewAuthority(name string, lifetime time.Duration, now time.Time) (Authority, error) {
	return AuthorityRequest{Name: name, Lifetime: lifetime}.New(now)
}

// AuthorityRequest is what a new authority is to be.
type AuthorityRequest struct {
	Name       string        // the common name, 1 to 64 characters
	Lifetime   time.Duration // a day to 100 years
	Key        KeyType       // ECDSA where it is left out
	Passphrase []byte        // its key is kept under it; nil: as it is, at mode 0600
}

// The bounds of an authority's lifetime.
const (
	minAuthorityLifetime = 24 * time.Hour
	maxAuthorityLifetime = 100 * 365 * 24 * time.Hour
)

func (r AuthorityRequest) check() error {
	switch {
	case r.Name == "" || len(r.Name) > maxCommonName:
		return fmt.Errorf("the name %q of an authority has 1 to %d characters", r.Name, maxCommonName)
	case r.Lifetime < minAuthorityLifetime || r.Lifetime > maxAuthorityLifetime:
		return fmt.Errorf("an authority lives for a day to a hundred years, not %s", r.Lifetime)
	}
	return nil
}

// New makes a self-signed authority that issues leaves only.
func (r AuthorityRequest) New(now time.Time) (Authority, error) {
	if err := r.check(); err != nil {
		return Authority{}, err
	}
	key, keyPEM, err := NewKey(r.Key)
	if err != nil {
		return Authority{}, err
	}
	a, err := ofKey(r.Name, r.Lifetime, key, now)
	a.keyPEM = keyPEM
	if r.Passphrase != nil && err == nil {
		a.keyPEM, err = keystore.EncryptKey(key, r.Passphrase)
	}
	return a, err
}

func ofKey(name string, lifetime time.Duration, key crypto.Signer, now time.Time) (Authority, error) {
	id, err := keyID(key.Public())
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
	cert, err := sign(template, template, key.Public(), key)
	if err != nil {
		return Authority{}, err
	}
	return Authority{Certificate: cert, PEM: certificatesPEM(cert), key: key}, nil
}

// newSerial is a random serial number of 128 bits (RFC 5280, 4.1.2.2: positive,
// at most 20 octets).
func newSerial() *big.Int {
	random := make([]byte, 16)
	_, _ = rand.Read(random) // never fails
	serial := new(big.Int).SetBytes(random)
	return serial.Add(serial, big.NewInt(1))
}

// sign signs a template, with a random serial number where it has none.
func sign(template, issuer *x509.Certificate, key crypto.PublicKey, by crypto.Signer) (*x509.Certificate, error) {
	if template.SerialNumber == nil {
		template.SerialNumber = newSerial()
	}
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
	key, keyPEM, err := NewKey(r.Key)
	if err != nil {
		return Pair{}, err
	}
	return a.issue(r, key, keyPEM, now)
}

func (a Authority) issue(r Request, key crypto.Signer, keyPEM []byte, now time.Time) (Pair, error) {
	p, err := a.certify(r, key.Public(), now)
	p.Key = keyPEM
	return p, err
}

// certify makes a leaf for a key whose private part may be elsewhere.
func (a Authority) certify(r Request, key crypto.PublicKey, now time.Time) (Pair, error) {
	if err := a.Closed(); err != nil {
		return Pair{}, err
	}
	template, err := r.template(key)
	if err != nil {
		return Pair{}, err
	}
	template.NotBefore, template.NotAfter, err = a.validity(r.Lifetime, now)
	if err != nil {
		return Pair{}, err
	}
	leaf, err := sign(template, a.Certificate, key, a.key)
	if err != nil {
		return Pair{}, err
	}
	return Pair{Chain: certificatesPEM(leaf), Leaf: leaf}, nil
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
