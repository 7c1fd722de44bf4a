package main

import (
	"errors"
	"fmt"
	"os"
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
	vouchers map[string][]byte // whom to trust as a certificate's ACME directory
	between  pki.Pair          // what such a directory sees between its questions
	open     []acme.Challenge  // its questions
	warnings []string          // what works and should not stay
	due      time.Time         // when the first certificate wants to be renewed; zero is never
}

// load parses a file and loads the keys and authorities it names. Whatever is
// wrong is in the problems, all of it at once; then nothing may be served.
func load(path string, data []byte, store pki.Store, now time.Time) (loaded, model.Problems) {
	cluster, problems := model.Parse(path, data)
	if cluster == nil {
		return loaded{}, problems
	}
	l := loaded{data: data, cluster: cluster, pairs: map[string]pki.Pair{}, roots: map[string][]byte{}, vouchers: map[string][]byte{}}
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
	if !l.needsCA() {
		return nil
	}
	ca, _, err := store.Authority(now)
	if err != nil {
		return l.faults("certificates", "name", fmt.Errorf("the local CA: %w", err))
	}
	l.due, l.warnings = time.Time{}, nil
	for i, c := range l.cluster.Certificates {
		if !c.Issued() && c.ACME == nil || l.obtained(c, store, now) {
			continue
		}
		pair, _, err := store.Certificate(c.Name, c.Hosts, lifetime(c), ca, now)
		if err != nil && pair.Leaf == nil {
			return l.faults(fmt.Sprintf("certificates[%d]", i), "name", err)
		}
		if err != nil {
			l.warnings = append(l.warnings, fmt.Sprintf("certificate %s serves, but could not be kept: %v", c.Name, err))
		}
		l.pairs[c.Name] = pair
		l.due = earlier(l.due, pki.RenewAt(pair.Leaf))
	}
	if err := l.prepareProofs(store, now); err != nil {
		return l.faults("certificates", "acme", err)
	}
	return l.trustLocally(ca)
}

// trustLocally gives pools that name no authority the local CA and the
// system's roots.
func (l *loaded) trustLocally(ca pki.Authority) model.Problems {
	var system []byte
	for i, p := range l.cluster.Pools {
		if !trustsLocally(p) {
			continue
		}
		if system == nil {
			roots, err := pki.SystemRoots()
			if err != nil {
				return l.faults(fmt.Sprintf("pools[%d].tls", i), "verify", err)
			}
			system = append([]byte("\n"), roots...)
		}
		l.roots[p.Name] = append(append([]byte{}, ca.PEM...), system...)
	}
	return nil
}

func (l *loaded) needsCA() bool {
	for _, c := range l.cluster.Certificates {
		if c.Issued() || c.ACME != nil {
			return true
		}
	}
	for _, p := range l.cluster.Pools {
		if trustsLocally(p) {
			return true
		}
	}
	return false
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
	m := xds.Material{Pairs: l.pairs, Roots: l.roots, Challenges: l.open, Between: l.between}
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
