package main

import (
	"crypto/tls"
	"fmt"
	"net"
	"slices"

	"usher/cmd/usher/figures"
	"usher/envoy"
	"usher/xds"
)

// afar are the Envoys elsewhere that show their figures: those of the xDS port that
// have proved who they are, each by the host that it connects from.
func afar(clients func() []xds.Client, port uint16, config *tls.Config) func() []figures.Source {
	return func() (all []figures.Source) {
		for _, c := range clients() {
			host, _, err := net.SplitHostPort(c.Address)
			if !c.Trusted || err != nil { // a socket has no host
				continue
			}
			at := net.JoinHostPort(host, fmt.Sprint(port))
			if !slices.ContainsFunc(all, func(s figures.Source) bool { return s.Name == at }) {
				all = append(all, figures.Source{Name: at, Admin: envoy.Admin{Address: at, TLS: config}})
			}
		}
		return all
	}
}
