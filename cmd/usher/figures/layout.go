package figures

import (
	"net"
	"net/netip"

	"usher/cmd/usher/status"
	"usher/model"
)

// layout is what the file has, in the words of Envoy: who a host is.
type layout struct {
	pools []status.Pool
	nodes map[string]map[string]layoutNode // by pool and address
}

type layoutNode struct {
	name  string
	state model.State
	asks  model.State
	fault string
	at    string // IP:PORT, empty where its name does not resolve
}

func layoutOf(s *status.Status) layout {
	l := layout{nodes: map[string]map[string]layoutNode{}}
	if s == nil {
		return l
	}
	l.pools = s.Pools
	for _, p := range s.Pools {
		at := make(map[string]layoutNode, len(p.Nodes))
		for _, n := range p.Nodes {
			node := newLayoutNode(n)
			if _, taken := at[node.at]; !taken && node.at != "" { // the first keeps it in Envoy, too
				at[node.at] = node
			}
		}
		l.nodes[p.Name] = at
	}
	return l
}

func newLayoutNode(n status.Node) layoutNode {
	node := layoutNode{name: n.Name, state: n.State, asks: n.Asks, fault: n.Fault}
	_, port, err := net.SplitHostPort(n.Address)
	ip, ipErr := netip.ParseAddr(n.IP)
	if err == nil && ipErr == nil {
		node.at = net.JoinHostPort(ip.String(), port)
	}
	return node
}

// node is the name of a host, empty for one that has left the file.
func (l layout) node(pool, address string) string { return l.nodes[pool][address].name }

// has tells what the file has; without a node it is the pool that counts.
func (l layout) has() func(pool, node string) bool {
	all := map[NodeOf]bool{}
	for _, p := range l.pools {
		all[NodeOf{p.Name, ""}] = true
		for _, n := range p.Nodes {
			all[NodeOf{p.Name, n.Name}] = true
		}
	}
	return func(pool, node string) bool { return all[NodeOf{pool, node}] }
}
