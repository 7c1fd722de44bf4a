package main

import (
	"crypto/tls"
	"errors"
	"sync/atomic"
	"time"

	"usher/model"
	"usher/xds/pki"
)

// face is the certificate of a console that others reach. The loop keeps it
// fresh, and every handshake reads it.
type face struct {
	name  string   // of the certificate in the cluster file; empty for the local CA's
	hosts []string // of the local CA's

	shown atomic.Pointer[tls.Certificate]

	leaf  pki.Leaf  // that is shown
	next  time.Time // when to look at the local CA's again
	fault string    // that was last logged
}

// faceFile is what the local CA's certificate is called in the state folder; none
// of the cluster file begins with a dot.
const faceFile = ".console"

func newFace(name string, hosts []string) *face { return &face{name: name, hosts: hosts} }

// certificate is the hook of crypto/tls.
func (f *face) certificate(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	if c := f.shown.Load(); c != nil {
		return c, nil
	}
	return nil, errors.New("the console has no certificate yet")
}

// dress gives the console the certificate that it has to show now. What cannot
// be had leaves the one before.
func (l *loop) dress(now time.Time) {
	f := l.face
	if f == nil || f.name != "" && !l.serving() {
		return
	}
	pair, there := l.now.pairs[f.name]
	if !there || f.name == "" {
		if now.Before(f.next) {
			return
		}
		f.next = now.Add(longestRest)
		var err error
		pair, err = f.issue(l.store, now)
		if f.name != "" {
			err = errors.Join(err, errors.New("the cluster file has no certificate "+f.name+", named by --console-certificate: one of the local CA stands in"))
		}
		l.sayOnce(err)
	}
	if pair.Leaf == nil || f.leaf != nil && f.leaf.Equal(pair.Leaf) {
		return
	}
	c, err := tls.X509KeyPair(pair.Chain, pair.Key)
	if err != nil {
		l.sayOnce(err)
		return
	}
	f.leaf = pair.Leaf
	f.shown.Store(&c)
}

// issue is the local CA's certificate, as kept or issued anew.
func (f *face) issue(store pki.Store, now time.Time) (pki.Pair, error) {
	cas, _, err := store.Authorities(now)
	if err != nil {
		return pki.Pair{}, err
	}
	pair, _, err := store.Certificate(faceFile, pki.Request{Hosts: f.hosts, Lifetime: model.DefaultLifetime.Std()}, cas.Issuing, now)
	return pair, err
}

// sayOnce logs what is wrong with the console's certificate when it is news.
func (l *loop) sayOnce(err error) {
	text := ""
	if err != nil {
		text = err.Error()
	}
	if text != "" && text != l.face.fault {
		l.log.Error("the console's certificate", "error", err)
	}
	l.face.fault = text
}
