package xds

import (
	"slices"
	"strings"

	"usher/model"
)

// backend is a pool as one of the Envoy clusters that it becomes: the pool itself,
// a ring of it without some nodes (ring.go), or a form with another balance.
type backend struct {
	model.Pool      // its Name is the cluster's
	tcp        bool // a listener passes connections on to it
}

// Names of the file have no slash, so that no cluster of one pool is called as
// another pool is.
const balanceForm = "/balance+"

// uses are what the listeners want of a pool.
type uses struct {
	tcp      bool            // one passes connections on to it
	balances []model.Balance // of routes, beside the pool's own
}

// usesOf are those of all pools, by name.
func usesOf(ls []model.Listener) map[string]uses {
	all := map[string]uses{}
	for _, l := range ls {
		if l.TCP != nil {
			u := all[l.TCP.Pool]
			u.tcp = true
			all[l.TCP.Pool] = u
		}
		for _, r := range l.Routes {
			if u := all[r.Pool]; r.Balance != "" && !slices.Contains(u.balances, r.Balance) {
				u.balances = append(slices.Clone(u.balances), r.Balance)
				all[r.Pool] = u
			}
		}
	}
	return all
}

func (u uses) same(as uses) bool { return u.tcp == as.tcp && slices.Equal(u.balances, as.balances) }

// backends are all clusters that a pool becomes.
func backends(p model.Pool, u uses) []backend {
	var all []backend
	for _, ring := range rings(p) {
		all = append(all, backend{ring, u.tcp})
	}
	for _, b := range slices.Sorted(slices.Values(u.balances)) {
		if b != p.Balance {
			all = append(all, backend{Pool: p}.form(b))
		}
	}
	return all
}

// form is the backend with another balance, for requests that belong to no
// session.
func (b backend) form(balance model.Balance) backend {
	if balance == "" || balance == b.Balance {
		return b
	}
	b.Name, b.Balance, b.Sticky, b.tcp = b.Name+balanceForm+string(balance), balance, nil, false
	return b
}

// filePool is the name that the pool of a cluster has in the file.
func filePool(cluster string) string {
	name, _, _ := strings.Cut(cluster, "/")
	return name
}

// ranked tells whether requests look for a node in an order that its subsets
// hold: the one they name, then one tier after the other. Where they need not,
// the plain load balancer is cheaper, and a standby is a lower priority.
func (b backend) ranked() bool {
	if b.Balance.Hashes() {
		return false
	}
	return b.Named() || b.tcp || b.StatefulSession() != nil || slices.ContainsFunc(b.Nodes, func(n model.Node) bool { return n.Set > 0 || n.State == model.Spare })
}
