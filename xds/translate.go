package xds

import (
	"net/netip"
	"slices"
	"time"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"usher/model"
	"usher/xds/pki"
	"usher/xds/pki/acme"
)

// Material is what a translation needs beside the file: loaded, never paths.
type Material struct {
	// Pairs are the certificates by their names in the file.
	Pairs map[string]pki.Pair
	// Roots are the PEM bundles that a pool with verify: ca trusts, by pool.
	Roots map[string][]byte
	// Clients are the PEM bundles of the authorities of clients, by listener.
	Clients map[string][]byte
	// IPs are what the nodes' addresses resolve to. An address that is missing
	// here and is no IP address keeps its node out.
	IPs map[model.Address]netip.Addr
	// Names are all addresses that the nodes' names resolve to, by which a node may
	// name itself in an answer.
	Names map[model.Address][]netip.Addr
	// Draining are active nodes that ask to be drained themselves.
	Draining map[NodeOf]bool
	// Closing are nodes whose TCP connections have to end.
	Closing map[NodeOf]bool
	// Challenges are the open questions of ACME directories.
	Challenges []acme.Challenge
	// Between is what a directory would see that asks while no question is open.
	// Needed where a certificate is proven by tls-alpn-01.
	Between pki.Pair
}

// NodeOf names a node of a pool.
type NodeOf struct{ Pool, Node string }

// Translate makes all of Envoy's resources from a checked file. Equal input
// gives equal output, byte by byte.
func Translate(c *model.Cluster, m Material) Resources {
	r, _ := Again(nil, c, m)
	return r
}

// Again is Translate with the past of an earlier translation, nil where there is
// none. The result is the same, and of what is the same again the messages are, too:
// nobody may change one.
func Again(was *Past, c *model.Cluster, m Material) (Resources, *Past) {
	t := newTranslator(was, c, m)
	for _, p := range c.Pools {
		t.pool(p)
		if roots, ok := m.Roots[p.Name]; ok {
			t.put(Secrets, rootsName(p), rootsSecret(p, roots))
		}
		if p.TLS != nil && p.TLS.Verify == model.VerifyPin {
			t.put(Secrets, pinsName(p), pinsSecret(p))
		}
	}
	for _, cert := range c.Certificates {
		if pair, ok := m.Pairs[cert.Name]; ok {
			t.put(Secrets, cert.Name, pairSecret(cert.Name, pair))
		}
	}
	private := clientHeaders(c.Listeners)
	for _, s := range sockets(c.Listeners, t.now.backends(), m) {
		s.was, s.now = t.was, t.now
		t.socket(s, private)
	}
	return t.now.made, t.now
}

// socket makes the listener of a socket, its routes and its secrets.
func (t *translator) socket(s socket, private []string) {
	if roots, ok := t.m.Clients[s.name()]; ok && s.client() != nil {
		t.put(Secrets, s.clientsName(), clientsSecret(s.clientsName(), roots))
	}
	proven := s.proven(t.Certificates)
	for _, host := range proven {
		t.put(Secrets, proofName(host), proofSecret(host, t.m))
	}
	if c := s.first().Tracing; c != nil {
		t.put(Clusters, collectorName(*c), collector(*c))
		t.put(Endpoints, collectorName(*c), collectorEndpoints(*c, t.m))
	}
	t.put(Listeners, s.name(), s.listener(private, proven))
	if s.first().TCP == nil {
		t.put(Routes, s.name(), s.routes())
	}
}

// wished is a pool with its nodes as they ask to be treated themselves.
func (m Material) wished(p model.Pool) model.Pool {
	p.Nodes = slices.Clone(p.Nodes)
	for i, n := range p.Nodes {
		if n.State == model.Active && m.Draining[NodeOf{p.Name, n.Name}] {
			p.Nodes[i].State = model.Drain
		}
	}
	return p
}

// socket is one address and all listeners of the file that share it.
type socket struct {
	listeners []model.Listener
	pools     map[string]backend
	material  Material
	was, now  *Past // nil where only one translation is made
}

// sockets groups the listeners by address, in the file's order.
func sockets(ls []model.Listener, pools map[string]backend, m Material) []socket {
	var all []socket
	at := map[model.Address]int{}
	for _, l := range ls {
		i, ok := at[l.Address]
		if !ok {
			i = len(all)
			at[l.Address] = i
			all = append(all, socket{pools: pools, material: m})
		}
		all[i].listeners = append(all[i].listeners, l)
	}
	return all
}

// first is the listener that stands for all of them where they must be alike.
func (s socket) first() model.Listener { return s.listeners[0] }

// name is the first listener's: the others are its virtual hosts.
func (s socket) name() string { return s.first().Name }

// forwards tells whether one of the listeners sends such requests to such a pool.
func (s socket) forwards(such func(model.Route, backend) bool) bool {
	for _, l := range s.listeners {
		for _, r := range l.Routes {
			if p, ok := s.pools[r.Pool]; ok && such(r, p) {
				return true
			}
		}
	}
	return false
}

// ads says that a resource comes over the one stream.
func ads() *corev3.ConfigSource {
	return &corev3.ConfigSource{
		ResourceApiVersion:    corev3.ApiVersion_V3,
		ConfigSourceSpecifier: &corev3.ConfigSource_Ads{Ads: &corev3.AggregatedConfigSource{}},
	}
}

func seconds(d time.Duration) *durationpb.Duration { return durationpb.New(d) }
func yes() *wrapperspb.BoolValue                   { return wrapperspb.Bool(true) }
func u32(n uint32) *wrapperspb.UInt32Value         { return wrapperspb.UInt32(n) }

func socketAddress(ip string, port uint16) *corev3.Address {
	return &corev3.Address{Address: &corev3.Address_SocketAddress{SocketAddress: &corev3.SocketAddress{
		Address:       ip,
		PortSpecifier: &corev3.SocketAddress_PortValue{PortValue: uint32(port)},
		Ipv4Compat:    ip == "::", // an IPv6 wildcard serves IPv4 as well, as httpd's Listen does
	}}}
}
