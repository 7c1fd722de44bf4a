package main

import (
	"fmt"
	"time"

	"usher/xds/pki"
)

// ending warns of an authority whose end is near: from a twelfth of a year on.
func ending(cas pki.Authorities, now time.Time) []string {
	left := cas.Issuing.Certificate.NotAfter.Sub(now)
	if left > 30*24*time.Hour || cas.Phase != pki.Steady {
		return nil
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
