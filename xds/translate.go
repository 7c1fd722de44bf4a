package xds

import (
	"net/netip"
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
	// Challenges are the open questions of ACME directories.
	Challenges []acme.Challenge
	// Between is what a directory would see that asks while no question is open.
	// Needed where a certificate is proven by tls-alpn-01.
	Between pki.Pair
}

// Translate makes all of Envoy's resources from a checked file. Equal input
// gives equal output, byte by byte.
func Translate(c *model.Cluster, m Material) Resources {
	var r Resources
	pools := map[string]model.Pool{}
	for _, p := range c.Pools {
		pools[p.Name] = p
		for _, ring := range rings(p) {
			r.put(Clusters, ring.Name, cluster(ring))
			r.put(Endpoints, ring.Name, endpoints(ring, m.IPs))
		}
		if roots, ok := m.Roots[p.Name]; ok {
			r.put(Secrets, rootsName(p), rootsSecret(p, roots))
		}
		if p.TLS != nil && p.TLS.Verify == model.VerifyPin {
			r.put(Secrets, pinsName(p), pinsSecret(p))
		}
	}
	for _, cert := range c.Certificates {
		if pair, ok := m.Pairs[cert.Name]; ok {
			r.put(Secrets, cert.Name, pairSecret(cert.Name, pair))
		}
	}
	private := clientHeaders(c.Listeners)
	for _, l := range sockets(c.Listeners) {
		if roots, ok := m.Clients[l.name()]; ok && l.client() != nil {
			r.put(Secrets, l.clientsName(), clientsSecret(l.clientsName(), roots))
		}
		proven := l.proven(c.Certificates)
		for _, host := range proven {
			r.put(Secrets, proofName(host), proofSecret(host, m))
		}
		r.put(Listeners, l.name(), l.listener(private, proven))
		r.put(Routes, l.name(), l.routes(pools, m.Challenges))
	}
	return r
}

// socket is one address and all listeners of the file that share it.
type socket []model.Listener

// sockets groups the listeners by address, in the file's order.
func sockets(ls []model.Listener) []socket {
	var all []socket
	at := map[model.Address]int{}
	for _, l := range ls {
		i, ok := at[l.Address]
		if !ok {
			i = len(all)
			at[l.Address] = i
			all = append(all, nil)
		}
		all[i] = append(all[i], l)
	}
	return all
}

// name is the first listener's: the others are its virtual hosts.
func (s socket) name() string { return s[0].Name }

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
