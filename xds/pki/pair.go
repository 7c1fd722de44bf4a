package pki

import (
	"crypto"
	"crypto/x509"
	"errors"
	"fmt"
	"time"
)

// LoadPair reads a certificate with its chain, and its private key, from two
// PEM files (which may be the same one) of at most 1 MiB. Its faults are those
// of ParsePair, and files that cannot be read.
func LoadPair(chainFile, keyFile string, now time.Time) (Pair, error) {
	chain, chainErr := readNamed(InChain, chainFile)
	key, keyErr := readNamed(InKey, keyFile)
	if err := errors.Join(chainErr, keyErr); err != nil {
		return Pair{}, err
	}
	return ParsePair(chain, key, now)
}

// ParsePair reads a certificate with its chain, leaf first, and its private
// key. It refuses what Envoy or every client would refuse: what is not PEM,
// a key that is encrypted, weak or of another certificate, a chain out of
// order, a leaf that is not valid now (the zero time does not ask). The error
// holds one or two *Fault; see Faults.
func ParsePair(chain, key []byte, now time.Time) (Pair, error) {
	certs, chainErr := certificates(InChain, chain)
	signer, keyPEM, keyErr := privateKey(key)
	if err := errors.Join(chainErr, keyErr); err != nil {
		return Pair{}, err
	}
	for _, err := range []error{fits(signer, certs), inOrder(certs), validAt(certs[0], now)} {
		if err != nil {
			return Pair{}, err
		}
	}
	return Pair{Chain: certificatesPEM(certs...), Key: keyPEM, Leaf: certs[0]}, nil
}

// fits tells whether the key is that of the leaf.
func fits(key crypto.Signer, certs []*x509.Certificate) error {
	if sameKey(key.Public(), certs[0].PublicKey) {
		return nil
	}
	for i, c := range certs[1:] {
		if sameKey(key.Public(), c.PublicKey) {
			return &Fault{InChain, fmt.Sprintf("the chain is out of order: the key's certificate (%s) is number %d, after that of %s", named(c), i+2, named(certs[0])), "put it first, then the one that issued it, and so on"}
		}
	}
	return &Fault{InKey, fmt.Sprintf("the key is not that of the certificate of %s", named(certs[0])), "name the key that the certificate was requested with"}
}

func sameKey(a, b crypto.PublicKey) bool {
	comparable, ok := a.(interface{ Equal(crypto.PublicKey) bool })
	return ok && comparable.Equal(b)
}

// inOrder tells whether each certificate was issued by the one after it. A
// signature by an algorithm too old to check (SHA-1) counts by its names.
func inOrder(certs []*x509.Certificate) error {
	for i, c := range certs[:len(certs)-1] {
		issuer := certs[i+1]
		err := c.CheckSignatureFrom(issuer)
		if old := x509.InsecureAlgorithmError(0); errors.As(err, &old) {
			err = nil
		}
		if err != nil || string(c.RawIssuer) != string(issuer.RawSubject) {
			return &Fault{InChain, fmt.Sprintf("the chain is out of order: number %d (%s) was not issued by number %d (%s)", i+1, named(c), i+2, named(issuer)),
				"the leaf comes first, each next one issued the one before; leave out what is not of this chain"}
		}
	}
	return nil
}

// validAt tells whether the leaf is valid at a time.
func validAt(leaf *x509.Certificate, now time.Time) error {
	switch {
	case now.IsZero():
	case now.After(leaf.NotAfter):
		return &Fault{InChain, fmt.Sprintf("the certificate of %s expired on %s", named(leaf), leaf.NotAfter.UTC().Format(time.RFC3339)), "put a renewed one in its place"}
	case now.Before(leaf.NotBefore):
		return &Fault{InChain, fmt.Sprintf("the certificate of %s is not valid before %s", named(leaf), leaf.NotBefore.UTC().Format(time.RFC3339)), "is this machine's clock right?"}
	}
	return nil
}

// named is what a person calls a certificate: its first name.
func named(c *x509.Certificate) string {
	switch {
	case len(c.DNSNames) > 0:
		return c.DNSNames[0]
	case len(c.IPAddresses) > 0:
		return c.IPAddresses[0].String()
	case c.Subject.CommonName != "":
		return fmt.Sprintf("%q", c.Subject.CommonName)
	}
	return fmt.Sprintf("%q", c.Subject.String())
}
