package xds

import (
	"math"
	"time"

	clusterv3 "github.com/envoyproxy/go-control-plane/envoy/config/cluster/v3"
	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	endpointv3 "github.com/envoyproxy/go-control-plane/envoy/config/endpoint/v3"
	tracev3 "github.com/envoyproxy/go-control-plane/envoy/config/trace/v3"
	hcmv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/network/http_connection_manager/v3"
	samplersv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/tracers/opentelemetry/samplers/v3"
	httpv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/upstreams/http/v3"
	tagsv3 "github.com/envoyproxy/go-control-plane/envoy/type/tracing/v3"
	typev3 "github.com/envoyproxy/go-control-plane/envoy/type/v3"
	"google.golang.org/protobuf/proto"
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

// tracing is what the listener sends spans of: a span for each request, and one in
// it for the node's part. The sampler decides by the trace's id, so that requests
// need no id of their own (x-request-id), which the nodes would see and which costs.
func (s socket) tracing() *hcmv3.HttpConnectionManager_Tracing {
	t := s.first().Tracing
	if t == nil {
		return nil
	}
	return &hcmv3.HttpConnectionManager_Tracing{
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
				Sampler: sampler("parent_based", &samplersv3.ParentBasedSamplerConfig{
					WrappedSampler: sampler("trace_id_ratio_based", &samplersv3.TraceIdRatioBasedSamplerConfig{SamplingPercentage: share(t.Sample)}),
				}),
			})},
		},
	}
}

func sampler(name string, config proto.Message) *corev3.TypedExtensionConfig {
	return &corev3.TypedExtensionConfig{Name: "envoy.tracers.opentelemetry.samplers." + name, TypedConfig: pack(config)}
}

// share is a percentage in millionths, the finest that Envoy knows.
func share(p model.Percent) *typev3.FractionalPercent {
	return &typev3.FractionalPercent{Numerator: uint32(math.Round(float64(p) * 10_000)), Denominator: typev3.FractionalPercent_MILLION}
}

// spanTags say of a span what the access log says of its request.
func spanTags() (all []*tagsv3.CustomTag) {
	for _, t := range []struct{ name, value string }{
		{"usher.pool", "%METADATA(ROUTE:" + usherNamespace + ":pool)%"},
		{"usher.node", nodeOf},
		{"usher.outcome", why},
	} {
		all = append(all, &tagsv3.CustomTag{Tag: t.name, Type: &tagsv3.CustomTag_Value{Value: t.value}})
	}
	return all
}
