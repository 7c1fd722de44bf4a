package xds

import (
	"fmt"
	"slices"

	clusterv3 "github.com/envoyproxy/go-control-plane/envoy/config/cluster/v3"
	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	"google.golang.org/protobuf/types/known/structpb"

	"usher/model"
)

// Stickiness by name: every endpoint carries a list of the names that it answers
// to, and Envoy's subset load balancer finds it by them. A node's own name is in
// its list, and the tier it serves for everyone else. A request wants the name
// that it carries (seat.go), or a tier; its list of fallbacks is the order in
// which it looks further.
const (
	routeKey    = "route"
	fallbackKey = "fallback_list"
	lbNamespace = "envoy.lb"
	// usherNamespace is for what log, counters and cookies say of nodes and routes.
	usherNamespace = "usher"
	nodeKey        = "node"
	askedKey       = "asked"
	pathKey        = "path" // before a rewrite
)

// tier is the name of those that take new sessions, or of those that do when these
// can't, of one set. Nodes' names do not begin with @.
func tier(kind string, set model.Count) string {
	if set == 0 {
		return "@" + kind
	}
	return fmt.Sprintf("@%s%d", kind, set)
}

const (
	tierActive  = "active"
	tierStandby = "standby"
)

// tiers are the names of all of a pool, in the order in which they serve: within
// a set the standbys go before the next set, as in httpd.
func (b backend) tiers() []string {
	var sets []model.Count
	for _, n := range b.Nodes {
		sets = append(sets, n.Set)
	}
	slices.Sort(sets)
	var all []string
	for _, s := range slices.Compact(sets) {
		all = append(all, tier(tierActive, s), tier(tierStandby, s))
	}
	return all
}

// answersTo are the names that a node answers to; none keeps it out.
func (b backend) answersTo(n model.Node) []string {
	switch n.State {
	case model.Active, model.Spare:
		return []string{n.Name, tier(tierActive, n.Set)}
	case model.Standby:
		return []string{n.Name, tier(tierStandby, n.Set)}
	case model.Drain:
		if b.keeps() {
			return []string{n.Name} // its sessions stay, nobody new comes
		}
		return nil // no session to keep: what is in flight ends by itself
	case model.Disabled:
		return nil
	}
	return nil
}

// keeps tells whether a draining node's sessions can be told from new ones: by
// what they name, by the balancer's cookie, or because they are connections.
func (b backend) keeps() bool {
	return b.Named() || b.HashCookie() != nil || b.StatefulSession() != nil || b.tcp
}

// priority sets nodes apart where the subsets do not: the standbys of a pool
// without them, and spares. Those take the share of what has failed before them
// (see overprovisioning in endpoint.go).
func (b backend) priority(n model.Node) uint32 {
	switch {
	case n.State == model.Spare:
		return 1
	case n.State == model.Standby && !b.ranked():
		if b.spares() {
			return 2
		}
		return 1
	}
	return 0
}

func (b backend) spares() bool {
	return slices.ContainsFunc(b.Nodes, func(n model.Node) bool { return n.State == model.Spare })
}

func (b backend) subsets() *clusterv3.Cluster_LbSubsetConfig {
	if !b.ranked() {
		return nil
	}
	return &clusterv3.Cluster_LbSubsetConfig{
		FallbackPolicy:         clusterv3.Cluster_LbSubsetConfig_NO_FALLBACK,
		MetadataFallbackPolicy: clusterv3.Cluster_LbSubsetConfig_FALLBACK_LIST,
		ListAsAny:              true,
		SubsetSelectors:        []*clusterv3.Cluster_LbSubsetConfig_LbSubsetSelector{{Keys: []string{routeKey}}},
	}
}

// looksFor is the order of names in which a request looks for its node. Where the
// first is empty, a filter writes it.
func looksFor(names ...string) *corev3.Metadata {
	fields := map[string]any{}
	if names[0] != "" {
		fields[routeKey] = names[0]
	}
	fallbacks := []any{map[string]any{}}
	for _, n := range names[1:] {
		// An entry is merged with what was wanted and so has to name another value
		// of the same key.
		fallbacks = append(fallbacks, map[string]any{routeKey: n})
	}
	fields[fallbackKey] = fallbacks
	return metadata(lbNamespace, fields)
}

// metadata is that of one namespace.
func metadata(namespace string, fields map[string]any) *corev3.Metadata {
	s, err := structpb.NewStruct(fields)
	if err != nil {
		panic("xds: metadata: " + err.Error()) // only texts, switches, lists and maps are put in
	}
	return &corev3.Metadata{FilterMetadata: map[string]*structpb.Struct{namespace: s}}
}

func list(names []string) []any {
	l := make([]any, len(names))
	for i, n := range names {
		l[i] = n
	}
	return l
}
