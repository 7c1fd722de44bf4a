package figures

import (
	"cmp"
	"slices"
	"time"

	"usher/cmd/usher/status"
	"usher/xds"
)

// weightUnits is what Envoy is told for a weight of 1, see xds.
const weightUnits = 100

// compose puts a reading together by the file's pools and nodes.
func (w *Watch) compose(l layout, r *reading) *Now {
	n := &Now{Time: r.at, Envoy: r.envoy}
	for _, x := range r.listeners {
		n.Listeners = append(n.Listeners, *x)
	}
	slices.SortFunc(n.Listeners, func(a, b Listener) int { return cmp.Compare(a.Name, b.Name) })
	hosts := r.byNode()
	seen := map[NodeOf]time.Time{}
	for _, p := range l.pools {
		n.Pools = append(n.Pools, w.pool(p, r, hosts, seen))
	}
	w.seen = seen
	w.recent.into(n, w.ledger.Totals)
	return n
}

// at is a node by its address.
type at struct{ pool, address string }

// byNode joins a node's hosts in the clusters that its pool becomes: what flows adds
// up, and the pool's own cluster says how it is, where it has the node.
func (r *reading) byNode() map[at]host {
	all := map[at]host{}
	for key, h := range r.hosts {
		pool := xds.PoolOf(key.cluster)
		k := at{pool, key.address}
		sum, ok := all[k]
		if !ok || key.cluster == pool {
			sum.flags, sum.weight = h.flags, h.weight
		}
		sum.active += h.active
		sum.connections += h.connections
		all[k] = sum
	}
	return all
}

func (w *Watch) pool(p status.Pool, r *reading, hosts map[at]host, seen map[NodeOf]time.Time) Pool {
	pool := Pool{Name: p.Name, Nodes: make([]Node, 0, len(p.Nodes))}
	if g := r.pools[p.Name]; g != nil {
		pool.Total, pool.Healthy, pool.Pending, pool.Breaking = int(g.total), int(g.healthy), int(g.pending), g.breaking
	}
	for _, of := range p.Nodes {
		at, key := newLayoutNode(of), NodeOf{p.Name, of.Name}
		h, has := hosts[atOf(p.Name, at)]
		node := Node{Name: of.Name, Weight: h.weight / weightUnits}
		node.Active, node.Connections = int(h.active), int(h.connections)
		node.Health, node.Reason = judge(at, h.flags, has)
		if node.Seen = w.seen[key]; node.Health.Up() {
			node.Seen = r.at
		}
		if !node.Seen.IsZero() {
			seen[key] = node.Seen
		}
		pool.Active += node.Active
		pool.Connections += node.Connections
		pool.Nodes = append(pool.Nodes, node)
	}
	return pool
}

func atOf(pool string, n layoutNode) at { return at{pool, n.at} }

// Into is a status with what is known of its nodes. What is too old is left out.
func (n *Now) Into(s *status.Status, now time.Time) *status.Status {
	if s == nil || n == nil || now.Sub(n.Time) > 2*n.Every+time.Second {
		return s
	}
	with := *s
	with.Pools = slices.Clone(s.Pools)
	for i, p := range with.Pools {
		with.Pools[i].Nodes = slices.Clone(p.Nodes)
		known := map[string]*Node{}
		for j := range n.Pools {
			if n.Pools[j].Name == p.Name {
				known = n.Pools[j].byName()
			}
		}
		for j := range with.Pools[i].Nodes {
			into := &with.Pools[i].Nodes[j]
			if k := known[into.Name]; k != nil {
				into.Health, into.Reason, into.Active = string(k.Health), k.Reason, k.Active
				into.Connections, into.Rate, into.Seen = k.Connections, k.Rate.Sum(), k.Seen
			}
		}
	}
	return &with
}

func (p *Pool) byName() map[string]*Node {
	all := make(map[string]*Node, len(p.Nodes))
	for i := range p.Nodes {
		all[p.Nodes[i].Name] = &p.Nodes[i]
	}
	return all
}
