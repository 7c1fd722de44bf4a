package main

import (
	"fmt"
	"slices"
	"time"

	"usher/model"
	"usher/xds/pki"
)

// issue lets the local CA make what the file leaves to it.
func (l *loaded) issue(store pki.Store, now time.Time) model.Problems {
	l.due, l.warnings = time.Time{}, slices.Concat(l.unfit(), l.misnamed(), l.neglected(now))
	if store.Dir != "" {
		l.warnings = append(l.warnings, store.Exposed()...)
	}
	if !l.needsCA() {
		return nil
	}
	cas, _, err := store.Authorities(now)
	if err != nil {
		return l.faults("certificates", "name", fmt.Errorf("the local CA: %w", err))
	}
	for i, c := range l.cluster.Certificates {
		if !c.Issued() && c.ACME == nil || l.obtained(c, store, now) {
			continue
		}
		pair, _, err := store.Certificate(c.Name, l.request(c), cas.Issuing, now)
		if store.ReadOnly && pair.Leaf == nil { // who only looks needs no passphrase
			pair, err = l.standIn(c, now)
		}
		if err != nil && pair.Leaf == nil {
			return l.faults(fmt.Sprintf("certificates[%d]", i), "name", err)
		}
		due := pki.RenewAt(pair.Leaf)
		if err != nil {
			l.warnings = append(l.warnings, fmt.Sprintf("certificate %s serves until %s, but: %v", c.Name, pair.Leaf.NotAfter.Format(time.RFC3339), err))
			due = now.Add(tryAgain)
		}
		l.pairs[c.Name] = pair
		l.due = earlier(l.due, due)
	}
	l.warnings = append(l.warnings, ending(cas, now)...)
	if err := l.prepareProofs(store, now); err != nil {
		return l.faults("certificates", "acme", err)
	}
	return l.trustLocally(cas.PEM())
}

// standIn is what the local CA would issue, by a throw-away in memory.
func (l *loaded) standIn(c model.Certificate, now time.Time) (pki.Pair, error) {
	ca, _, err := pki.Store{}.Authority(now)
	if err != nil {
		return pki.Pair{}, err
	}
	return ca.Issue(l.request(c), now)
}

// request is a certificate of the file as the local CA wants it told.
func (l *loaded) request(c model.Certificate) pki.Request {
	return pki.Request{Hosts: c.Hosts, Lifetime: lifetime(c), Use: l.use(c.Name), Key: keyType(c)}
}

func keyType(c model.Certificate) pki.KeyType {
	if c.KeyType == model.RSA {
		return pki.RSA
	}
	return pki.ECDSA
}

// use is on which sides the file shows a certificate.
func (l *loaded) use(certificate string) pki.Use {
	switch {
	case !l.cluster.ShownToNodes(certificate):
		return pki.ForServers
	case l.cluster.ShownToClients(certificate):
		return pki.ForBoth
	}
	return pki.ForClients
}

// trustLocally gives listeners that ask clients for a certificate and name no
// authority the local CA, and pools that name none the local CA and the
// system's roots.
func (l *loaded) trustLocally(ca []byte) model.Problems {
	for _, v := range l.cluster.Listeners {
		if issuesToClients(v) {
			l.clients[v.Name] = ca
		}
	}
	var local []byte
	for i, p := range l.cluster.Pools {
		if !trustsLocally(p) {
			continue
		}
		if local == nil {
			var err error
			if local, err = localRoots(ca); err != nil {
				return l.faults(fmt.Sprintf("pools[%d].tls", i), "verify", err)
			}
		}
		l.roots[p.Name] = local
	}
	return nil
}

// localRoots are the local CA and the system's roots.
func localRoots(ca []byte) ([]byte, error) {
	system, err := pki.SystemRoots()
	return slices.Concat(ca, []byte("\n"), system), err
}

func (l *loaded) needsCA() bool {
	for _, c := range l.cluster.Certificates {
		if c.Issued() || c.ACME != nil {
			return true
		}
	}
	return slices.ContainsFunc(l.cluster.Pools, trustsLocally) || slices.ContainsFunc(l.cluster.Listeners, issuesToClients)
}

// issuesToClients tells whether the local CA vouches for a listener's clients.
func issuesToClients(l model.Listener) bool {
	return l.TLS != nil && l.TLS.Client != nil && l.TLS.Client.CA == ""
}

func trustsLocally(p model.Pool) bool {
	return p.TLS != nil && p.TLS.Verify == model.VerifyCA && p.TLS.CA == ""
}

// keptLeaves are the certificates that the local CA has issued for the file, as
// they are in the state folder.
func (l *loaded) keptLeaves(store pki.Store) (leaves []pki.Leaf) {
	for _, c := range l.cluster.Certificates {
		if pair, err := store.Kept(c.Name); err == nil && c.Issued() {
			leaves = append(leaves, pair.Leaf)
		}
	}
	return leaves
}
