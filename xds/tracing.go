package xds

import (
	"time"

	clusterv3 "github.com/envoyproxy/go-control-plane/envoy/config/cluster/v3"
	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	endpointv3 "github.com/envoyproxy/go-control-plane/envoy/config/endpoint/v3"
	tracev3 "github.com/envoyproxy/go-control-plane/envoy/config/trace/v3"
	hcmv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/network/http_connection_manager/v3"
	httpv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/upstreams/http/v3"
	metadatav3 "github.com/envoyproxy/go-control-plane/envoy/type/metadata/v3"
	tagsv3 "github.com/envoyproxy/go-control-plane/envoy/type/tracing/v3"
	typev3 "github.com/envoyproxy/go-control-plane/envoy/type/v3"
	"google.golang.org/protobuf/types/known/anypb"
	"google.golang.org/protobuf/types/known/durationpb"

	"usher/model"
)

// collectorTimeout bounds connecting to a collector, and a report.
const collectorTimeout = 5 * time.Second

// collectorName begins with a slash, which no pool's cluster does.
func collectorName(t model.Tracing) string { return "/tracing/" + t.Collector.String() }

// collector is the cluster of a collector, which speaks gRPC.
func collector(t model.Tracing) *clusterv3.Cluster {
	return &clusterv3.Cluster{
		Name:                 collectorName(t),
		ClusterDiscoveryType: &clusterv3.Cluster_Type{Type: clusterv3.Cluster_EDS},
		EdsClusterConfig:     &clusterv3.Cluster_EdsClusterConfig{EdsConfig: ads()},
		ConnectTimeout:       durationpb.New(collectorTimeout),
		TypedExtensionProtocolOptions: map[string]*anypb.Any{
			"envoy.extensions.upstreams.http.v3.HttpProtocolOptions": pack(&httpv3.HttpProtocolOptions{
				UpstreamProtocolOptions: &httpv3.HttpProtocolOptions_ExplicitHttpConfig_{ExplicitHttpConfig: protocol(model.HTTP2)},
			}),
		},
	}
}

// collectorEndpoints is where it is; none as long as its name does not resolve.
func collectorEndpoints(t model.Tracing, m Material) *endpointv3.ClusterLoadAssignment {
	a := &endpointv3.ClusterLoadAssignment{ClusterName: collectorName(t)}
	if at, ok := locate(t.Collector, m.IPs); ok {
		a.Endpoints = []*endpointv3.LocalityLbEndpoints{{LbEndpoints: []*endpointv3.LbEndpoint{{
			HostIdentifier: &endpointv3.LbEndpoint_Endpoint{Endpoint: &endpointv3.Endpoint{Address: socketAddress(at.Addr().String(), at.Port())}},
		}}}}
	}
	return a
}

// trace has a listener send spans: one for each request, and one in it for the node's
// part. Envoy decides by the request's id whether it is traced, and takes a request
// without one for none that can be (a sampler of the tracer's own is not asked then):
// nodes get x-request-id. A request costs 80,000 instructions more, of 280,000, also
// at 1 %: two spans and the id 50,000, the tags 30,000.
func (s socket) trace(m *hcmv3.HttpConnectionManager) {
	t := s.first().Tracing
	if t == nil {
		return
	}
	m.GenerateRequestId = yes()
	m.Tracing = &hcmv3.HttpConnectionManager_Tracing{
		ClientSampling:    &typev3.Percent{}, // x-client-trace-id of a stranger
		RandomSampling:    &typev3.Percent{Value: float64(t.Sample)},
		SpawnUpstreamSpan: yes(),
		CustomTags:        spanTags(),
		Provider: &tracev3.Tracing_Http{
			Name: "envoy.tracers.opentelemetry",
			ConfigType: &tracev3.Tracing_Http_TypedConfig{TypedConfig: pack(&tracev3.OpenTelemetryConfig{
				ServiceName: t.Service,
				GrpcService: &corev3.GrpcService{
					Timeout:         durationpb.New(collectorTimeout),
					TargetSpecifier: &corev3.GrpcService_EnvoyGrpc_{EnvoyGrpc: &corev3.GrpcService_EnvoyGrpc{ClusterName: collectorName(*t)}},
				},
			})},
		},
	}
}

// spanTags say of a span what the access log says of its request.
func spanTags() []*tagsv3.CustomTag {
	return []*tagsv3.CustomTag{
		metadataTag("pool", "pool", &metadatav3.MetadataKind{Kind: &metadatav3.MetadataKind_Route_{Route: &metadatav3.MetadataKind_Route{}}}),
		metadataTag("node", nodeKey, &metadatav3.MetadataKind{Kind: &metadatav3.MetadataKind_Host_{Host: &metadatav3.MetadataKind_Host{}}}),
		{Tag: usherNamespace + ".outcome", Type: &tagsv3.CustomTag_Value{Value: why}},
	}
}

func metadataTag(name, key string, of *metadatav3.MetadataKind) *tagsv3.CustomTag {
	return &tagsv3.CustomTag{Tag: usherNamespace + "." + name, Type: &tagsv3.CustomTag_Metadata_{Metadata: &tagsv3.CustomTag_Metadata{
		Kind: of,
		MetadataKey: &metadatav3.MetadataKey{
			Key:  usherNamespace,
			Path: []*metadatav3.MetadataKey_PathSegment{{Segment: &metadatav3.MetadataKey_PathSegment_Key{Key: key}}},
		},
	}}}
}
