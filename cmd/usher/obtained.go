package main

import (
	"fmt"
	"path/filepath"
	"time"

	"usher/model"
	"usher/xds/pki"
	"usher/xds/pki/acme"
)

// directoryClient keeps what ACME directories issue in the state folder. That
// of a store that keeps nothing, as check has it, can't ask anybody.
func directoryClient(s pki.Store) acme.Client {
	if s.Dir == "" {
		return acme.Client{}
	}
	return acme.Client{Dir: filepath.Join(s.Dir, "acme")}
}

// order is what a directory is asked for.
func (l *loaded) order(c model.Certificate) acme.Request {
	return acme.Request{
		Name: c.Name, Hosts: c.Hosts, Directory: c.ACME.Directory, Email: c.ACME.Email,
		Roots: l.vouchers[c.Name], Type: string(c.ACME.Challenge), Key: keyType(c),
	}
}

// obtained takes the last certificate that a directory issued, if there is one.
// It serves until its successor comes, even expired: no other would be better.
func (l *loaded) obtained(c model.Certificate, store pki.Store, now time.Time) bool {
	if c.ACME == nil {
		return false
	}
	kept := directoryClient(store).Kept(l.order(c), now)
	if kept.Pair.Leaf != nil {
		l.pairs[c.Name] = kept.Pair
	}
	return kept.Pair.Leaf != nil
}

// prepareProofs makes what is shown to directories between their questions.
func (l *loaded) prepareProofs(store pki.Store, now time.Time) (err error) {
	for _, c := range l.cluster.Certificates {
		if c.ACME == nil || c.ACME.Challenge != model.TLSALPN01 || l.between.Leaf != nil {
			continue
		}
		if store.ReadOnly {
			store = pki.Store{}
		}
		if l.between, err = directoryClient(store).Between(now); err != nil && l.between.Leaf == nil {
			return fmt.Errorf("make a certificate for acme-tls/1: %w", err)
		}
	}
	return nil
}

// lifetime is how long the local CA's certificate is valid. One that only stands
// in for a directory's has the default.
func lifetime(c model.Certificate) time.Duration {
	if c.ACME != nil {
		return model.DefaultLifetime.Std()
	}
	return c.Lifetime.Std()
}
