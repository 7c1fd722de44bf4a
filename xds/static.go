package xds

import (
	bootstrapv3 "github.com/envoyproxy/go-control-plane/envoy/config/bootstrap/v3"
	clusterv3 "github.com/envoyproxy/go-control-plane/envoy/config/cluster/v3"
	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	endpointv3 "github.com/envoyproxy/go-control-plane/envoy/config/endpoint/v3"
	listenerv3 "github.com/envoyproxy/go-control-plane/envoy/config/listener/v3"
	routev3 "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"
	hcmv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/network/http_connection_manager/v3"
	tlsv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/transport_sockets/tls/v3"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/structpb"
)

// Static is a bootstrap that holds all resources itself, as JSON: `envoy --mode
// validate` sees only what is in the bootstrap, nothing that would come over
// xDS. It holds the private keys.
func (r Resources) Static() []byte {
	s := &bootstrapv3.Bootstrap_StaticResources{}
	for _, name := range r.Names(Clusters) {
		s.Clusters = append(s.Clusters, r.staticCluster(name))
	}
	for _, name := range r.Names(Secrets) {
		s.Secrets = append(s.Secrets, r[Secrets][name].(*tlsv3.Secret))
	}
	for _, name := range r.Names(Listeners) {
		s.Listeners = append(s.Listeners, r.staticListener(name))
	}
	b, err := protojson.Marshal(&bootstrapv3.Bootstrap{StaticResources: s, LayeredRuntime: longPatterns()})
	if err != nil {
		panic("xds: static bootstrap: " + err.Error()) // this package made every message in it
	}
	return b
}

// longPatterns are as in the bootstrap that Envoy runs with.
func longPatterns() *bootstrapv3.LayeredRuntime {
	s := &structpb.Struct{Fields: map[string]*structpb.Value{"re2.max_program_size.error_level": structpb.NewNumberValue(1 << 30)}}
	return &bootstrapv3.LayeredRuntime{Layers: []*bootstrapv3.RuntimeLayer{{
		Name: "usher", LayerSpecifier: &bootstrapv3.RuntimeLayer_StaticLayer{StaticLayer: s},
	}}}
}

func (r Resources) staticCluster(name string) *clusterv3.Cluster {
	c := proto.Clone(r[Clusters][name]).(*clusterv3.Cluster)
	c.ClusterDiscoveryType = &clusterv3.Cluster_Type{Type: clusterv3.Cluster_STATIC}
	c.EdsClusterConfig = nil
	c.LoadAssignment = r[Endpoints][name].(*endpointv3.ClusterLoadAssignment)
	if c.TransportSocket != nil {
		ctx := &tlsv3.UpstreamTlsContext{}
		unpack(c.TransportSocket, ctx)
		withoutSDS(ctx.CommonTlsContext)
		c.TransportSocket = transportSocket(ctx)
	}
	return c
}

func (r Resources) staticListener(name string) *listenerv3.Listener {
	l := proto.Clone(r[Listeners][name]).(*listenerv3.Listener)
	for _, chain := range l.FilterChains {
		if chain.TransportSocket != nil {
			ctx := &tlsv3.DownstreamTlsContext{}
			unpack(chain.TransportSocket, ctx)
			withoutSDS(ctx.CommonTlsContext)
			chain.TransportSocket = transportSocket(ctx)
		}
		for _, f := range chain.Filters {
			r.inlineRoutes(f)
		}
	}
	return l
}

func (r Resources) inlineRoutes(f *listenerv3.Filter) {
	hcm := &hcmv3.HttpConnectionManager{}
	if err := f.GetTypedConfig().UnmarshalTo(hcm); err != nil {
		return // another filter than ours has no routes
	}
	if hcm.GetRds() == nil {
		return // it has its own already
	}
	table := r[Routes][hcm.GetRds().GetRouteConfigName()].(*routev3.RouteConfiguration)
	hcm.RouteSpecifier = &hcmv3.HttpConnectionManager_RouteConfig{RouteConfig: table}
	f.ConfigType = &listenerv3.Filter_TypedConfig{TypedConfig: pack(hcm)}
}

// withoutSDS leaves the secrets' names alone, which then mean static ones.
func withoutSDS(c *tlsv3.CommonTlsContext) {
	for _, s := range c.TlsCertificateSdsSecretConfigs {
		s.SdsConfig = nil
	}
	if v := c.GetValidationContextSdsSecretConfig(); v != nil {
		v.SdsConfig = nil
	}
}

func unpack(s *corev3.TransportSocket, into proto.Message) {
	if err := s.GetTypedConfig().UnmarshalTo(into); err != nil {
		panic("xds: " + s.Name + ": " + err.Error()) // packed by transportSocket
	}
}
