package xds

import (
	accesslogv3 "github.com/envoyproxy/go-control-plane/envoy/config/accesslog/v3"
	clusterv3 "github.com/envoyproxy/go-control-plane/envoy/config/cluster/v3"
	tcpv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/network/tcp_proxy/v3"
	tlsv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/transport_sockets/tls/v3"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/structpb"

	"usher/model"
)

// passOn passes a connection on to a node. One that does not answer costs a new
// connection an attempt, and the next one is tried.
func (s socket) passOn(t model.TCP) *tcpv3.TcpProxy {
	p := s.pools[t.Pool]
	proxy := &tcpv3.TcpProxy{
		StatPrefix:         s.name(),
		ClusterSpecifier:   &tcpv3.TcpProxy_Cluster{Cluster: p.Name},
		IdleTimeout:        durationpb.New(t.IdleTimeout.Std()),
		MaxConnectAttempts: u32(uint32(p.Attempts) + 1),
	}
	if p.ranked() {
		proxy.MetadataMatch = looksFor(p.tiers()...)
	}
	if l := s.first().AccessLog; l != nil {
		proxy.AccessLog = []*accesslogv3.AccessLog{logTo(*l, connectionLine)}
	}
	return proxy
}

// socketMatch is the key of an endpoint's metadata that chooses how its node is
// spoken to.
const (
	socketMatch = "envoy.transport_socket_match"
	closingKey  = "closing"
	nobodysKey  = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=" // a hash of nothing that is known
)

// closing ends the TCP connections of a node. Envoy does that for a node that
// fails its check (close_connections_on_host_health_failure), but neither for one
// that leaves nor for one that EDS calls unhealthy. So the node is spoken to in a
// way that cannot work, which comes by EDS and in place, and fails its check; it
// drains, so that nobody misses it.
func (b backend) closing(c *clusterv3.Cluster) {
	if !b.tcp {
		return
	}
	c.CloseConnectionsOnHostHealthFailure = true
	if b.DrainTimeout == 0 {
		return
	}
	c.TransportSocketMatches = []*clusterv3.Cluster_TransportSocketMatch{{
		Name:            closingKey,
		Match:           &structpb.Struct{Fields: map[string]*structpb.Value{closingKey: structpb.NewBoolValue(true)}},
		TransportSocket: transportSocket(&tlsv3.UpstreamTlsContext{CommonTlsContext: impossible()}),
	}}
}

// impossible is a handshake that no node passes.
func impossible() *tlsv3.CommonTlsContext {
	return &tlsv3.CommonTlsContext{ValidationContextType: &tlsv3.CommonTlsContext_ValidationContext{
		ValidationContext: &tlsv3.CertificateValidationContext{VerifyCertificateSpki: []string{nobodysKey}},
	}}
}
