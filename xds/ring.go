package xds

import (
	"fmt"
	"slices"
	"strings"
	"time"

	clusterv3 "github.com/envoyproxy/go-control-plane/envoy/config/cluster/v3"
	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	routev3 "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"
	matcherv3 "github.com/envoyproxy/go-control-plane/envoy/type/matcher/v3"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"usher/model"
)

// Stickiness by a cookie of the balancer's own: Envoy makes it, and its hash is
// a place on a ring (or in a maglev table) that belongs to a node. Nobody can
// tell from a cookie when it was made, so while a node drains the pool is two
// rings: one with the draining nodes, for clients that have a cookie, and one
// without, for new ones. New ones get a mark as well, by which their next
// request finds the second ring again. When the node is gone, the two are one.

const (
	// pointsPerWeight is how many points of the ring a node of weight 1 gets.
	// Envoy's own figure is the size of the whole ring: every node's share of
	// points shrinks when one joins, and many more clients move than the new node
	// can take (42 % instead of 25 % when a fourth joins three).
	pointsPerWeight = 512
	// ringLimit is the largest ring that Envoy builds.
	ringLimit = 8 << 20

	openRing   = "/active" // the ring for new clients; names of the file have no slash
	drainToken = "-drain"  // ends the name of the mark
)

// rings are the Envoy clusters that a pool becomes.
func rings(p model.Pool) []model.Pool {
	if !p.Balance.Hashes() || len(draining(p)) == 0 {
		return []model.Pool{p}
	}
	open := p
	open.Name += openRing
	open.Nodes = slices.DeleteFunc(slices.Clone(p.Nodes), func(n model.Node) bool { return n.State == model.Drain })
	return []model.Pool{p, open}
}

// filePool is the name that the pool of a ring has in the file.
func filePool(ring string) string { return strings.TrimSuffix(ring, openRing) }

func draining(p model.Pool) []string {
	var names []string
	for _, n := range p.Nodes {
		if n.State == model.Drain {
			names = append(names, n.Name)
		}
	}
	slices.Sort(names)
	return names
}

// ringConfig keeps a node's points the same, whoever else is on the ring.
func ringConfig(p model.Pool) *clusterv3.Cluster_RingHashLbConfig {
	total := 0.0
	for _, n := range p.Nodes {
		if len(tiers(p, n)) > 0 && priority(p, n) == 0 {
			total += float64(n.Weight)
		}
	}
	size := min(max(total*pointsPerWeight, 1), ringLimit)
	return &clusterv3.Cluster_RingHashLbConfig{MinimumRingSize: wrapperspb.UInt64(uint64(size))}
}

// marked splits a route in two while nodes drain: clients whose cookie is older
// than that stay on the ring with all nodes, everyone else gets the open one.
func marked(r *routev3.Route, p model.Pool, secure bool) []*routev3.Route {
	drained := draining(p)
	if !p.Balance.Hashes() || len(drained) == 0 {
		return []*routev3.Route{r}
	}
	cookie, mark := p.Sticky.Cookie, version([]byte(strings.Join(drained, " ")))
	old, fresh := r, proto.Clone(r).(*routev3.Route)
	old.Match.Cookies = []*routev3.CookieMatcher{
		{Name: cookie.Name, StringMatch: &matcherv3.StringMatcher{MatchPattern: &matcherv3.StringMatcher_SafeRegex{SafeRegex: regex(".+")}}},
		{Name: cookie.Name + drainToken, InvertMatch: true, StringMatch: &matcherv3.StringMatcher{MatchPattern: &matcherv3.StringMatcher_Exact{Exact: mark}}},
	}
	fresh.GetRoute().ClusterSpecifier = &routev3.RouteAction_Cluster{Cluster: p.Name + openRing}
	fresh.ResponseHeadersToAdd = append(fresh.ResponseHeadersToAdd, &corev3.HeaderValueOption{
		Header:       &corev3.HeaderValue{Key: "set-cookie", Value: markCookie(cookie, mark, secure)},
		AppendAction: corev3.HeaderValueOption_APPEND_IF_EXISTS_OR_ADD,
	})
	return []*routev3.Route{old, fresh}
}

// markCookie lives as long as the cookie that it stands beside.
func markCookie(c *model.Cookie, mark string, secure bool) string {
	text := c.Name + drainToken + "=" + mark + "; Path=/; HttpOnly"
	if c.TTL > 0 {
		text += fmt.Sprintf("; Max-Age=%d", c.TTL.Std()/time.Second)
	}
	if secure {
		text += "; Secure"
	}
	return text
}
