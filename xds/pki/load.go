package pki

import (
	"bytes"
	"cmp"
	"crypto"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"time"

	"usher/xds/pki/keystore"
)

// The files of an authority.
const (
	authorityFile    = "ca.crt"
	authorityKeyFile = "ca.key"
)

// anew is how to get out of an authority that cannot be used.
const anew = "put the right file back, or move the folder away: then a new authority is made, which every client must be told to trust; where it has expired, 'usher ca rotate' brings the next one"

// loadAuthority reads the authority in a folder. fs.ErrNotExist tells that
// there is none at all. One whose key is not there, or under a passphrase that
// was not given, is trusted and issues nothing: see Authority.Closed.
func loadAuthority(dir string, passphrase []byte, now time.Time) (Authority, error) {
	crtFile, keyFile := filepath.Join(dir, authorityFile), filepath.Join(dir, authorityKeyFile)
	crt, crtErr, key, keyErr := readTogether(crtFile, keyFile)
	noCrt, noKey := errors.Is(crtErr, fs.ErrNotExist), errors.Is(keyErr, fs.ErrNotExist)
	switch {
	case noCrt && noKey:
		return Authority{}, crtErr
	case noCrt:
		return Authority{}, fmt.Errorf("%s is missing beside ca.key: %s", crtFile, anew)
	case crtErr != nil || keyErr != nil && !noKey:
		return Authority{}, fmt.Errorf("the authority in %s cannot be read: %w: usher must run as the user who owns it", dir, cmp.Or(crtErr, keyErr))
	}
	ca, err := parseAuthority(crt, now)
	if err == nil {
		err = ca.open(keyFile, key, noKey, passphrase)
	}
	if err != nil {
		// Not %w: a Fault is one of a file that cluster.yaml names.
		return Authority{}, fmt.Errorf("the authority in %s: %v: %s", dir, err, anew) //nolint:errorlint // a Fault in it is of no file that the operator named
	}
	return ca, nil
}

// readTogether reads two files of one folder, which another process may put
// there or exchange meanwhile: then it reads them again.
func readTogether(first, second string) (a []byte, aErr error, b []byte, bErr error) {
	a, aErr = read(first)
	for range 10 {
		b, bErr = read(second)
		again, err := read(first)
		same := bytes.Equal(a, again) && (aErr == nil) == (err == nil)
		a, aErr = again, err
		if same {
			break
		}
	}
	return a, aErr, b, bErr
}

// ParseAuthority reads an authority that was made elsewhere: its certificate in
// PEM, and its key, which may be nil (it is absent then) or under the
// passphrase, in PKCS#8 or as older openssl encrypts it. Where stays is true,
// the key is kept under the same passphrase, else as it is. The error may wrap
// keystore.ErrPassphraseNeeded or keystore.ErrWrongPassphrase.
func ParseAuthority(crt, key, passphrase []byte, stays bool, now time.Time) (Authority, error) {
	ca, err := parseAuthority(crt, now)
	if err != nil || key == nil {
		return ca, err
	}
	ca.key, err = authorityKey(key, passphrase)
	if err != nil {
		return Authority{}, err
	}
	if err := fits(ca.key, []*x509.Certificate{ca.Certificate}); err != nil {
		return Authority{}, err
	}
	if stays && passphrase != nil {
		ca.keyPEM, err = keystore.EncryptKey(ca.key, passphrase)
	} else {
		ca.keyPEM, err = keyPEM(ca.key)
	}
	return ca, err
}

// parseAuthority reads the certificate of a self-signed authority.
func parseAuthority(crt []byte, now time.Time) (Authority, error) {
	certs, err := certificates(InChain, crt)
	if err != nil {
		return Authority{}, err
	}
	ca := certs[0]
	if err := cmp.Or(isAuthority(ca), validAt(ca, now), usable(ca.PublicKey)); err != nil {
		return Authority{}, err
	}
	return Authority{Certificate: ca, PEM: certificatesPEM(ca)}, nil
}

func isAuthority(c *x509.Certificate) error {
	if !c.IsCA || c.KeyUsage != 0 && c.KeyUsage&x509.KeyUsageCertSign == 0 {
		return &Fault{InChain, fmt.Sprintf("the certificate of %s is not that of an authority", named(c)), ""}
	}
	if !bytes.Equal(c.RawIssuer, c.RawSubject) {
		return &Fault{InChain, fmt.Sprintf("the authority %s was issued by another one", named(c)), "only a self-signed authority can be used here"}
	}
	return nil
}

// open gives an authority its key, or the reason why it has none now.
func (a *Authority) open(file string, text []byte, absent bool, passphrase []byte) error {
	if absent {
		a.closed = fmt.Errorf("the authority's key is not in %s: put it there (mode 0600) for as long as something is to be issued", file)
		return nil
	}
	key, err := authorityKey(text, passphrase)
	switch {
	case errors.Is(err, keystore.ErrPassphraseNeeded):
		a.closed = fmt.Errorf("the authority's key %s is under a passphrase: name a file that holds it by --passphrase-file", file)
		return nil
	case errors.Is(err, keystore.ErrWrongPassphrase):
		a.closed = fmt.Errorf("the passphrase given does not open the authority's key %s: look at the file named by --passphrase-file", file)
		return nil
	case err != nil:
		return err
	}
	a.key, a.keyPEM = key, text
	return fits(key, []*x509.Certificate{a.Certificate})
}

// authorityKey reads a key that may be under a passphrase.
func authorityKey(text, passphrase []byte) (crypto.Signer, error) {
	block, err := keyBlock(text)
	if err != nil {
		return nil, err
	}
	if !isEncrypted(block) {
		key, _, err := privateKey(text)
		return key, err
	}
	return keystore.DecryptKey(text, passphrase)
}
