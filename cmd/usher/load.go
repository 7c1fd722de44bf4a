package main

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"os"
	"time"

	"usher/cmd/usher/desk"
	"usher/model"
	"usher/xds"
	"usher/xds/pki"
	"usher/xds/pki/acme"
)

// loaded is a cluster file with everything it names, ready for translation.
type loaded struct {
	data     []byte
	hash     string // of the data
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
	l := loaded{data: data, hash: desk.Hash(data), cluster: cluster, pairs: map[string]pki.Pair{}, roots: map[string][]byte{}, clients: map[string][]byte{}, vouchers: map[string][]byte{}}
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
		if err == nil && len(pki.Names(pair.Leaf)) == 0 && l.cluster.ShownToClients(c.Name) {
			err = &pki.Fault{In: pki.InChain, What: "the certificate has no subjectAltName, and clients look at nothing else", Hint: "have it issued anew for the listener's hosts, such as with 'usher cert csr'"}
		}
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

// sameMaterial tells whether two loads of a file found the same certificates.
func (l *loaded) sameMaterial(other loaded) bool {
	samePair := func(a, b pki.Pair) bool { return bytes.Equal(a.Chain, b.Chain) && bytes.Equal(a.Key, b.Key) }
	return maps.EqualFunc(l.pairs, other.pairs, samePair) &&
		maps.EqualFunc(l.roots, other.roots, bytes.Equal) && maps.EqualFunc(l.clients, other.clients, bytes.Equal)
}

// addresses are those of all nodes.
func (l *loaded) addresses() []model.Address {
	var all []model.Address
	for _, p := range l.cluster.Pools {
		for _, n := range p.Nodes {
			all = append(all, n.Address)
		}
	}
	for _, v := range l.cluster.Listeners {
		if v.Tracing != nil {
			all = append(all, v.Tracing.Collector)
		}
	}
	return all
}

// nodes is how many there are.
func (l *loaded) nodes() (n int) {
	for i := range l.cluster.Pools {
		n += len(l.cluster.Pools[i].Nodes)
	}
	return n
}

// translate makes the resources, with the nodes where their names point now and as
// they wish to be treated, of the parts of the publication before as far as they are
// the same.
func (p *publication) translate() {
	p.resources, p.past = xds.Again(p.past, p.cluster, p.material())
	p.describe()
}

// material is what a translation needs beside the file.
func (p publication) material() xds.Material {
	m := xds.Material{Pairs: p.pairs, Roots: p.roots, Clients: p.clients, Challenges: p.open, Between: p.between}
	m.IPs, m.Names = ips(p.answers), choices(p.answers)
	m.Draining, m.Closing = p.draining(), p.closing
	return m
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
