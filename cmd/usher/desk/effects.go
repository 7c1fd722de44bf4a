package desk

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"usher/model"
	"usher/xds"
	"usher/xds/pki"
)

// translated is what Envoy would be told if keys, authorities and addresses stood
// for what the file says of them: two files differ just where they say so.
func translated(c *model.Cluster) xds.Resources {
	m := xds.Material{Pairs: map[string]pki.Pair{}, Roots: map[string][]byte{}, Clients: map[string][]byte{}, IPs: map[model.Address]netip.Addr{}}
	for _, cert := range c.Certificates {
		said := fmt.Appendf(nil, "%+v", cert)
		if cert.ACME != nil {
			said = fmt.Appendf(said, "%+v", *cert.ACME)
		}
		m.Pairs[cert.Name] = pki.Pair{Chain: said, Key: said}
	}
	for _, p := range c.Pools {
		if p.TLS != nil && p.TLS.Verify == model.VerifyCA {
			m.Roots[p.Name] = []byte("roots " + p.TLS.CA)
		}
		for _, n := range p.Nodes {
			m.IPs[n.Address] = standIn(n.Address.Host)
		}
	}
	for _, l := range c.Listeners {
		if l.TLS != nil && l.TLS.Client != nil {
			m.Clients[l.Name] = []byte("roots " + l.TLS.Client.CA)
		}
	}
	return xds.Translate(c, m)
}

// standIn is an address that nobody has (RFC 4193), a different one for each name.
func standIn(host string) netip.Addr {
	sum := Hash([]byte(host))
	ip := [16]byte{0: 0xfd}
	copy(ip[1:], sum)
	return netip.AddrFrom16(ip)
}

// effects are what a change does to connections and sessions, in words. Which
// resource is pushed decides: a listener drains, a cluster is made anew, all else
// changes in place.
func effects(was, now *model.Cluster, all []xds.Difference) (words []string) {
	say := func(text string) {
		if !slices.Contains(words, text) {
			words = append(words, text)
		}
	}
	for _, d := range all {
		if text := effect(d); text != "" {
			say(text)
		}
	}
	if endpoints := touched(all, xds.Endpoints); len(all) > 0 && endpoints == len(all) {
		say("endpoints only: nobody is cut")
	} else if endpoints > 0 && touched(all, xds.Clusters) == 0 {
		say("endpoints change: nobody is cut")
	}
	if len(all) == 0 {
		say("nothing changes for Envoy: nobody is cut")
	}
	return append(words, sessions(was, now)...)
}

func touched(all []xds.Difference, k xds.Kind) (n int) {
	for _, d := range all {
		if d.Kind == k.String() {
			n++
		}
	}
	return n
}

func effect(d xds.Difference) string {
	name, part, _ := strings.Cut(d.Name, "/")
	switch d.Kind {
	case xds.Listeners.String():
		return map[string]string{
			xds.Added: "listener " + name + " opens", xds.Removed: "listener " + name + " closes: its connections are drained",
			xds.Changed: "listener " + name + " changes: its connections are drained"}[d.Change]
	case xds.Routes.String():
		return map[string]string{xds.Changed: "routes change: nobody is cut"}[d.Change]
	case xds.Secrets.String():
		return secret(d, name, part)
	case xds.Clusters.String():
		return cluster(d, name, part)
	}
	return ""
}

// secret says who sees other keys or authorities. A resource of a name in parts is
// one beside the certificates.
func secret(d xds.Difference, name, part string) string {
	switch {
	case d.Change != xds.Changed:
		return ""
	case part == "":
		return "certificate " + name + ": new handshakes see it"
	case part == "clients":
		return "listener " + name + ": new handshakes judge clients by it"
	}
	return "pool " + name + ": new connections to its nodes are judged by it"
}

// cluster says what becomes of a pool. One of a name in parts is another form of it,
// for clients that are to be kept from draining nodes or for a route's own balance.
func cluster(d xds.Difference, name, part string) string {
	switch {
	case part != "" && d.Change == xds.Changed:
		return "pool " + name + " is rebuilt in part (" + part + "): its connections to nodes are made anew"
	case part != "":
		return ""
	case d.Change == xds.Added:
		return "pool " + name + " begins: its nodes are checked before they serve"
	case d.Change == xds.Removed:
		return "pool " + name + " ends, once no route leads there"
	}
	return "pool " + name + " is rebuilt: its connections to nodes are made anew, health starts afresh"
}

// sessions are what becomes of those of nodes whose state changes, or that go.
func sessions(was, now *model.Cluster) (words []string) {
	for _, p := range was.Pools {
		next := poolOf(now, p.Name)
		if next == nil {
			continue
		}
		left := nodesOf(*next)
		for _, n := range p.Nodes {
			if text := fate(n, left[n.Name]); text != "" {
				words = append(words, "pool "+p.Name+": "+text)
			}
		}
	}
	return words
}

func fate(was model.Node, now *model.Node) string {
	serves := func(s model.State) bool { return s != model.Disabled }
	switch {
	case !serves(was.State):
		return ""
	case now == nil || !serves(now.State):
		return "users of " + was.Name + " move to another node at their next request"
	case now.State == model.Drain && was.State != model.Drain:
		return "users of " + was.Name + " stay, nobody new comes"
	case now.Address != was.Address:
		return "users of " + was.Name + " go to its new address"
	}
	return ""
}

func poolOf(c *model.Cluster, name string) *model.Pool {
	i := slices.IndexFunc(c.Pools, func(p model.Pool) bool { return p.Name == name })
	if i < 0 {
		return nil
	}
	return &c.Pools[i]
}
