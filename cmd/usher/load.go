package main

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"time"

	"usher/model"
	"usher/xds"
	"usher/xds/pki"
	"usher/xds/pki/acme"
)

// loaded is a cluster file with everything it names, ready for translation.
type loaded struct {
	data     []byte
	cluster  *model.Cluster
	pairs    map[string]pki.Pair
	roots    map[string][]byte
	clients  map[string][]byte // authorities of clients, by listener
	vouchers map[string][]byte // whom to trust as a certificate's ACME directory
	between  pki.Pair          // what such a directory sees between its questions
	open     []acme.Challenge  // its questions
	warnings []string          // what works and should not stay
	due      time.Time         // when the first certificate wants to be renewed; zero is never
}

// tryAgain is when a renewal that failed is tried again.
const tryAgain = time.Minute

// load parses a file and loads the keys and authorities it names. Whatever is
// wrong is in the problems, all of it at once; then nothing may be served.
func load(path string, data []byte, store pki.Store, now time.Time) (loaded, model.Problems) {
	cluster, problems := model.Parse(path, data)
	if cluster == nil {
		return loaded{}, problems
	}
	l := loaded{data: data, cluster: cluster, pairs: map[string]pki.Pair{}, roots: map[string][]byte{}, clients: map[string][]byte{}, vouchers: map[string][]byte{}}
	problems = append(problems, l.loadFiles(now)...)
	if len(problems) == 0 {
		problems = l.issue(store, now)
	}
	problems.Sort()
	return l, problems
}

// loadFiles reads the certificates and authorities that are given as files.
func (l *loaded) loadFiles(now time.Time) (problems model.Problems) {
	for i, c := range l.cluster.Certificates {
		if c.ACME != nil && c.ACME.CA != "" {
			roots, err := pki.LoadRoots(l.cluster.Resolve(c.ACME.CA))
			problems = append(problems, l.faults(fmt.Sprintf("certificates[%d].acme", i), "ca", err)...)
			l.vouchers[c.Name] = roots
		}
		if c.Chain == "" || c.Key == "" {
			continue
		}
		pair, err := pki.LoadPair(l.cluster.Resolve(c.Chain), l.cluster.Resolve(c.Key), now)
		problems = append(problems, l.faults(fmt.Sprintf("certificates[%d]", i), "chain", err)...)
		l.pairs[c.Name] = pair
	}
	for i, p := range l.cluster.Pools {
		if p.TLS == nil || p.TLS.CA == "" {
			continue
		}
		roots, err := pki.LoadRoots(l.cluster.Resolve(p.TLS.CA))
		problems = append(problems, l.faults(fmt.Sprintf("pools[%d].tls", i), "ca", err)...)
		l.roots[p.Name] = roots
	}
	for i, v := range l.cluster.Listeners {
		if v.TLS == nil || v.TLS.Client == nil || v.TLS.Client.CA == "" {
			continue
		}
		roots, err := pki.LoadRoots(l.cluster.Resolve(v.TLS.Client.CA))
		problems = append(problems, l.faults(fmt.Sprintf("listeners[%d].tls.client", i), "ca", err)...)
		l.clients[v.Name] = roots
	}
	return problems
}

// faults puts an error at the fields that it is about, or at the one given.
func (l *loaded) faults(parent, field string, err error) (problems model.Problems) {
	for _, f := range pki.Faults(err) {
		problems = append(problems, l.cluster.Problem(parent+"."+f.In, f.What, f.Hint))
	}
	if err != nil && len(problems) == 0 {
		problems = append(problems, l.cluster.Problem(parent+"."+field, err.Error(), ""))
	}
	return problems
}

// issue lets the local CA make what the file leaves to it.
func (l *loaded) issue(store pki.Store, now time.Time) model.Problems {
	l.due, l.warnings = time.Time{}, slices.Concat(l.unfit(), l.neglected(now))
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

// ending warns of an authority whose end is near: from a twelfth of a year on.
func ending(cas pki.Authorities, now time.Time) []string {
	left := cas.Issuing.Certificate.NotAfter.Sub(now)
	if left > 30*24*time.Hour || cas.Phase != pki.Steady {
		return nil
	}
	return []string{fmt.Sprintf("the local CA expires in %d days, and all that it issued: 'usher ca rotate' begins with another one", int(left.Hours()/24))}
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

// unfit are certificates that nodes are likely to refuse.
func (l *loaded) unfit() (warnings []string) {
	for _, c := range l.cluster.Certificates {
		if leaf := l.pairs[c.Name].Leaf; leaf != nil && !c.Issued() && l.cluster.ShownToNodes(c.Name) && !pki.FitForClients(leaf) {
			warnings = append(warnings, fmt.Sprintf("certificate %s is shown to nodes, but was issued for servers alone (extended key usage): most nodes refuse it", c.Name))
		}
	}
	return warnings
}

// neglected are certificates of files that nobody takes care of.
func (l *loaded) neglected(now time.Time) (warnings []string) {
	for _, c := range l.cluster.Certificates {
		leaf := l.pairs[c.Name].Leaf
		if c.Key == "" || leaf == nil {
			continue
		}
		if file := l.cluster.Resolve(c.Key); pki.ReadableByAll(file) {
			warnings = append(warnings, fmt.Sprintf("certificate %s: everybody on this machine can read its key: chmod 600 %s", c.Name, file))
		}
		if life := leaf.NotAfter.Sub(leaf.NotBefore); now.After(leaf.NotAfter.Add(-life / 6)) {
			warnings = append(warnings, fmt.Sprintf("certificate %s expires on %s: put a renewed one in the place of its files, it is served at once", c.Name, leaf.NotAfter.UTC().Format(time.DateTime)))
		}
	}
	return warnings
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

// sameMaterial tells whether two loads of a file found the same certificates.
func (l *loaded) sameMaterial(other loaded) bool {
	samePair := func(a, b pki.Pair) bool { return bytes.Equal(a.Chain, b.Chain) && bytes.Equal(a.Key, b.Key) }
	return maps.EqualFunc(l.pairs, other.pairs, samePair) &&
		maps.EqualFunc(l.roots, other.roots, bytes.Equal) && maps.EqualFunc(l.clients, other.clients, bytes.Equal)
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

// addresses are those of all nodes.
func (l *loaded) addresses() []model.Address {
	var all []model.Address
	for _, p := range l.cluster.Pools {
		for _, n := range p.Nodes {
			all = append(all, n.Address)
		}
	}
	return all
}

// translate makes the resources, with the nodes where their names point now.
func (l *loaded) translate(answers map[model.Address]answer) xds.Resources {
	m := xds.Material{Pairs: l.pairs, Roots: l.roots, Clients: l.clients, Challenges: l.open, Between: l.between}
	m.IPs = ips(answers)
	return xds.Translate(l.cluster, m)
}

func readConfig(path string) ([]byte, error) {
	data, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("there is no %s: write one with `usher init`, or name yours", path)
	}
	return data, err
}

func earlier(a, b time.Time) time.Time {
	if a.IsZero() || (!b.IsZero() && b.Before(a)) {
		return b
	}
	return a
}
