package pki

import (
	"bytes"
	"cmp"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"time"
)

// anew is how to get out of an authority that cannot be used.
const anew = "put the right file back, or move the folder away: then a new authority is made, which every client must be told to trust"

// loadAuthority reads the authority in a folder. fs.ErrNotExist tells that
// there is none at all.
func loadAuthority(dir string, now time.Time) (Authority, error) {
	crtFile, keyFile := filepath.Join(dir, "ca.crt"), filepath.Join(dir, "ca.key")
	crt, crtErr := read(crtFile)
	key, keyErr := read(keyFile)
	noCrt, noKey := errors.Is(crtErr, fs.ErrNotExist), errors.Is(keyErr, fs.ErrNotExist)
	if noCrt && !noKey { // or another process put the folder there between the two
		crt, crtErr = read(crtFile)
		noCrt = errors.Is(crtErr, fs.ErrNotExist)
	}
	switch {
	case noCrt && noKey:
		return Authority{}, crtErr
	case noCrt:
		return Authority{}, fmt.Errorf("%s is missing beside ca.key: %s", crtFile, anew)
	case noKey:
		return Authority{}, fmt.Errorf("%s is missing beside ca.crt: %s", keyFile, anew)
	case crtErr != nil || keyErr != nil:
		return Authority{}, fmt.Errorf("the authority in %s cannot be read: %w: usher must run as the user who owns it", dir, cmp.Or(crtErr, keyErr))
	}
	ca, err := parseAuthority(crt, key, now)
	if err != nil {
		// Not %w: a Fault is one of a file that cluster.yaml names.
		return Authority{}, fmt.Errorf("the authority in %s: %v: %s", dir, err, anew) //nolint:errorlint // a Fault in it is of no file that the operator named
	}
	return ca, nil
}

// parseAuthority reads a self-signed authority and its key.
func parseAuthority(crt, key []byte, now time.Time) (Authority, error) {
	p, err := ParsePair(crt, key, now)
	if err != nil {
		return Authority{}, err
	}
	if !p.Leaf.IsCA || p.Leaf.KeyUsage != 0 && p.Leaf.KeyUsage&x509.KeyUsageCertSign == 0 {
		return Authority{}, &Fault{InChain, fmt.Sprintf("the certificate of %s is not that of an authority", named(p.Leaf)), ""}
	}
	if !bytes.Equal(p.Leaf.RawIssuer, p.Leaf.RawSubject) {
		return Authority{}, &Fault{InChain, fmt.Sprintf("the authority %s was issued by another one", named(p.Leaf)), "only a self-signed authority can be used here"}
	}
	signer, keyPEM, err := privateKey(p.Key)
	return Authority{Certificate: p.Leaf, PEM: certificatesPEM(p.Leaf), key: signer, keyPEM: keyPEM}, err
}
