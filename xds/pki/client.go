package pki

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"fmt"
	"path/filepath"
	"time"
)

// The files that an Envoy elsewhere mounts.
const (
	CAFile         = "ca.crt"
	ClientCertFile = "client.crt"
	ClientKeyFile  = "client.key"
)

// WriteClient sees to it that a folder holds what an Envoy needs for the xDS
// port: CAFile, ClientCertFile, ClientKeyFile, each written in one step and
// only when it changes. renew is when to call it again. A renewed certificate
// keeps its key, so that the two fit at every moment: Envoy reads the files
// whenever one of them is renamed.
func (in Internal) WriteClient(dir string, now time.Time) (renew time.Time, written bool, err error) {
	ca, crt, key := filepath.Join(dir, CAFile), filepath.Join(dir, ClientCertFile), filepath.Join(dir, ClientKeyFile)
	r := Request{CommonName: ClientName, Hosts: []string{ClientName}, Lifetime: internalLifetime, Use: ForClients}
	if p, err := LoadPair(crt, key, now); err == nil && fresh(p.Leaf, r, in.CA, now) {
		written, err := refresh(ca, in.CA.PEM)
		return RenewAt(p.Leaf), written, err
	}
	p, err := in.client(r, key, now)
	if err != nil {
		return time.Time{}, false, fmt.Errorf("issue the client certificate of the xDS port: %w", err)
	}
	for _, f := range []struct {
		name string
		text []byte
	}{{key, p.Key}, {ca, in.CA.PEM}, {crt, p.Chain}} {
		if _, err := refresh(f.name, f.text); err != nil {
			return time.Time{}, false, fmt.Errorf("write the client certificate of the xDS port: %w", err)
		}
	}
	return RenewAt(p.Leaf), true, nil
}

// client issues for the key in the file, or for a new one where there is none
// that an authority of ours would have made.
func (in Internal) client(r Request, file string, now time.Time) (Pair, error) {
	if text, err := read(file); err == nil {
		if signer, keyPEM, err := privateKey(text); err == nil {
			if key, ok := signer.(*ecdsa.PrivateKey); ok && key.Curve == elliptic.P256() {
				return in.CA.issue(r, key, keyPEM, now)
			}
		}
	}
	return in.CA.Issue(r, now)
}

// refresh replaces a file where its text is another one.
func refresh(file string, text []byte) (bool, error) {
	if old, err := read(file); err == nil && bytes.Equal(old, text) {
		return false, nil
	}
	return true, replace(file, text)
}
