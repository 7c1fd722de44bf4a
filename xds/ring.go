package xds

import (
	"slices"
	"strings"

	clusterv3 "github.com/envoyproxy/go-control-plane/envoy/config/cluster/v3"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"usher/model"
)

// Stickiness by a cookie of the balancer's own: Envoy makes it, and its hash is
// a place on a ring (or in a maglev table) that belongs to a node. While nodes
// drain the pool is several rings, see mark.go.

const (
	// MaxDrains is how many draining nodes of a pool with sticky.cookie are told
	// apart: each doubles the rings, and every ring checks its nodes' health.
	MaxDrains = 3

	// pointsPerWeight is how many points of the ring a node of weight 1 gets, a
	// whole number also for the smallest weight. Envoy's own figure is the size of
	// the whole ring: every node's share of points shrinks when one joins, and many
	// more clients move than the new node can take (42 % instead of 25 % when a
	// fourth joins three).
	pointsPerWeight = 500
	// ringLimit is the largest ring that Envoy builds.
	ringLimit = 8 << 20

	// lessNodes and lessNode make the name of a ring without some nodes, such as
	// identity/without+isNode1+isNode2. No name of the file has a slash or a plus,
	// so that no part of it reads as another pool.
	lessNodes = "/without"
	lessNode  = "+"
)

// rings are the Envoy clusters that a pool becomes.
func rings(p model.Pool) []model.Pool {
	var all []model.Pool
	for _, gone := range absences(p) {
		ring := p
		ring.Name = ringName(p, gone)
		ring.Nodes = slices.DeleteFunc(slices.Clone(p.Nodes), func(n model.Node) bool { return slices.Contains(gone, n.Name) })
		all = append(all, ring)
	}
	return all
}

// absences are the sets of nodes that a pool has a ring without: what a client
// may be kept from, the larger sets first and the empty one last. Beyond
// MaxDrains they are the sets of the first draining nodes of the file, and all
// draining nodes for those who come new.
func absences(p model.Pool) [][]string {
	if p.HashCookie() == nil {
		return [][]string{nil}
	}
	drained := p.Draining()
	told := drained[:min(len(drained), MaxDrains)]
	var sets [][]string
	for bits := range 1 << len(told) {
		var set []string
		for i, name := range told {
			if bits&(1<<i) != 0 {
				set = append(set, name)
			}
		}
		sets = append(sets, set)
	}
	if len(drained) > len(told) {
		sets = append(sets, drained)
	}
	slices.SortStableFunc(sets, func(a, b []string) int { return len(b) - len(a) })
	return sets
}

// ringName depends on the absent nodes alone: a ring stays what it is when
// another node begins or ends to drain.
func ringName(p model.Pool, gone []string) string {
	if len(gone) == 0 {
		return p.Name
	}
	return p.Name + lessNodes + lessNode + strings.Join(slices.Sorted(slices.Values(gone)), lessNode)
}

// ringConfig keeps a node's points the same, whoever else is on the ring; see
// place in endpoint.go for nodes that are dead. Both limits are given, or else
// Envoy enlarges the ring until the lightest of the living nodes has a whole
// number of points.
func (b backend) ringConfig() *clusterv3.Cluster_RingHashLbConfig {
	total := uint64(0)
	for _, n := range b.Nodes {
		if len(b.answersTo(n)) > 0 && b.priority(n) == 0 {
			total += uint64(lbWeight(n))
		}
	}
	size := wrapperspb.UInt64(min(max(total*pointsPerWeight/weightUnits, 1), ringLimit))
	return &clusterv3.Cluster_RingHashLbConfig{MinimumRingSize: size, MaximumRingSize: size}
}
