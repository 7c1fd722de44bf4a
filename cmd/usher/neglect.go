package main

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"usher/xds/pki"
)

// ending warns of an authority whose end is near: from a twelfth of a year on.
func ending(cas pki.Authorities, now time.Time) []string {
	left := cas.Issuing.Certificate.NotAfter.Sub(now)
	if left > 30*24*time.Hour {
		return nil
	}
	if cas.Phase == pki.Introduced {
		return []string{fmt.Sprintf("the local CA expires in %d days, and all that it issued: 'usher ca rotate' lets the next one issue", int(left.Hours()/24))}
	}
	return []string{fmt.Sprintf("the local CA expires in %d days, and all that it issued: 'usher ca rotate' begins with another one", int(left.Hours()/24))}
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

// misnamed are certificates of files that are not for the hosts of a listener
// that shows them.
func (l *loaded) misnamed() (warnings []string) {
	for _, v := range l.cluster.Listeners {
		if v.TLS == nil {
			continue
		}
		for _, h := range v.Hosts {
			if h == "*" || slices.ContainsFunc(v.TLS.Shown(), func(name string) bool { return l.covers(name, h) }) {
				continue
			}
			warnings = append(warnings, fmt.Sprintf("listener %s: no certificate that it shows is for %s, so that clients turn away", v.Name, h))
		}
	}
	return warnings
}

// covers tells whether a certificate is for a host, or for all that *.NAME is.
func (l *loaded) covers(certificate, host string) bool {
	leaf := l.pairs[certificate].Leaf
	if leaf == nil {
		return true // it is issued for the listener's hosts
	}
	return leaf.VerifyHostname(strings.Replace(host, "*", "any", 1)) == nil
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
