package xds

import (
	"maps"
	"net/netip"
	"reflect"
	"slices"

	"google.golang.org/protobuf/proto"

	"usher/model"
)

// Past is what a translation was made of, so that the next one takes over the
// parts of which nothing has changed: among 10,000 nodes one weight is one pool.
// What is the same is the same message, which costs nobody anything to see.
type Past struct {
	made   Resources
	pools  map[string]*poolPart
	tables map[string]*pathTable // by listener
}

// poolPart is all that the clusters and endpoints of a pool are made from, and what
// they became.
type poolPart struct {
	pool    model.Pool // as its nodes ask to be treated
	uses    uses
	ips     []netip.Addr   // of its nodes
	names   [][]netip.Addr // likewise, where answers are searched for them
	closing []bool

	backend  backend // that routes go to
	clusters []string
}

// translator makes resources from a file, with the past at hand.
type translator struct {
	model.Cluster
	m        Material
	was, now *Past
	uses     map[string]uses
}

func newTranslator(was *Past, c *model.Cluster, m Material) *translator {
	if was == nil {
		was = &Past{}
	}
	return &translator{*c, m, was, &Past{pools: map[string]*poolPart{}, tables: map[string]*pathTable{}}, usesOf(c.Listeners)}
}

// put adds a resource, the earlier message where it is equal.
func (t *translator) put(k Kind, name string, m proto.Message) {
	if old, ok := t.was.made[k][name]; ok && proto.Equal(old, m) {
		m = old
	}
	t.now.made.put(k, name, m)
}

// pool makes a pool's clusters and endpoints, or takes them over.
func (t *translator) pool(p model.Pool) *poolPart {
	part := t.part(p)
	if old, ok := t.was.pools[p.Name]; ok && old.same(part) {
		for _, name := range old.clusters {
			t.now.made.put(Clusters, name, t.was.made[Clusters][name])
			t.now.made.put(Endpoints, name, t.was.made[Endpoints][name])
		}
		t.now.pools[p.Name] = old
		return old
	}
	all := backends(part.pool, part.uses)
	part.backend = all[len(all)-1]
	for _, b := range all {
		if b.Name == p.Name {
			part.backend = b
		}
		t.put(Clusters, b.Name, b.cluster())
		t.put(Endpoints, b.Name, b.endpoints(t.m))
		part.clusters = append(part.clusters, b.Name)
	}
	t.now.pools[p.Name] = part
	return part
}

func (t *translator) part(p model.Pool) *poolPart {
	part := &poolPart{pool: t.m.wished(p), uses: t.uses[p.Name]}
	for _, n := range p.Nodes {
		if len(t.m.IPs) > 0 {
			part.ips = append(part.ips, t.m.IPs[n.Address])
		}
		if p.Reverse != nil {
			part.names = append(part.names, t.m.Names[n.Address])
		}
		if len(t.m.Closing) > 0 {
			part.closing = append(part.closing, t.m.Closing[NodeOf{p.Name, n.Name}])
		}
	}
	return part
}

// same tells whether two parts are made from the same.
func (p *poolPart) same(as *poolPart) bool {
	a, b := p.pool, as.pool
	if !slices.Equal(a.Nodes, b.Nodes) {
		return false
	}
	a.Nodes, b.Nodes = nil, nil
	return reflect.DeepEqual(a, b) && p.uses.same(as.uses) &&
		slices.Equal(p.ips, as.ips) && slices.Equal(p.closing, as.closing) &&
		slices.EqualFunc(p.names, as.names, slices.Equal[[]netip.Addr])
}

// backends are those that routes go to, by the pools' names.
func (p *Past) backends() map[string]backend {
	all := make(map[string]backend, len(p.pools))
	for name, part := range maps.All(p.pools) {
		all[name] = part.backend
	}
	return all
}
