package envoy

import (
	"fmt"
	"net"
	"path/filepath"
	"strconv"
	"time"

	bootstrapv3 "github.com/envoyproxy/go-control-plane/envoy/config/bootstrap/v3"
	clusterv3 "github.com/envoyproxy/go-control-plane/envoy/config/cluster/v3"
	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	endpointv3 "github.com/envoyproxy/go-control-plane/envoy/config/endpoint/v3"
	metricsv3 "github.com/envoyproxy/go-control-plane/envoy/config/metrics/v3"
	overloadv3 "github.com/envoyproxy/go-control-plane/envoy/config/overload/v3"
	connectionsv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/resource_monitors/downstream_connections/v3"
	heapv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/resource_monitors/fixed_heap/v3"
	tlsv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/transport_sockets/tls/v3"
	httpv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/upstreams/http/v3"
	matcherv3 "github.com/envoyproxy/go-control-plane/envoy/type/matcher/v3"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/anypb"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/structpb"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

// Bootstrap is all that an Envoy has to be told at its start; the rest comes
// over xDS. Exactly one of Socket and Address is given.
type Bootstrap struct {
	Node    string // its id in the status
	Socket  string // the xDS server's unix socket
	Address string // HOST:PORT of the xDS server, by mutual TLS
	// Folder holds ca.crt, client.crt and client.key, as the Envoy sees it. Only
	// with Address.
	Folder string
	// Admin is the unix socket of the admin interface; empty for none.
	Admin string
	// Figures is the port at which Envoy shows what it counts, to usher alone; 0 for
	// none. Only with Address, and without Admin.
	Figures uint16
	// MaxHeap is where Envoy stops accepting requests, in bytes; 0 is no limit.
	MaxHeap uint64
}

const (
	xdsCluster = "xds"
	// xdsServerName is in the certificate of the xDS port, whatever its address.
	xdsServerName = "usher-xds"
	// maxConnections bounds what clients can open; each costs some 60 KiB.
	maxConnections = 50_000
)

// JSON is the bootstrap as Envoy reads it; JSON is YAML, too.
func (b Bootstrap) JSON() ([]byte, error) {
	xds, err := b.xdsCluster()
	if err != nil {
		return nil, err
	}
	ads := &corev3.ConfigSource{
		ResourceApiVersion:    corev3.ApiVersion_V3,
		ConfigSourceSpecifier: &corev3.ConfigSource_Ads{Ads: &corev3.AggregatedConfigSource{}},
	}
	boot := &bootstrapv3.Bootstrap{
		Node: &corev3.Node{Id: b.Node, Cluster: "usher"},
		DynamicResources: &bootstrapv3.Bootstrap_DynamicResources{
			AdsConfig: adsConfig(),
			CdsConfig: ads,
			LdsConfig: ads,
		},
		StaticResources: &bootstrapv3.Bootstrap_StaticResources{Clusters: []*clusterv3.Cluster{xds}},
		OverloadManager: b.overload(),
		StatsConfig:     stats(),
		LayeredRuntime:  longPatterns(),
	}
	if b.Admin != "" {
		boot.Admin = &bootstrapv3.Admin{Address: pipe(b.Admin)}
	}
	if b.Figures != 0 {
		b.addFigures(boot)
	}
	return protojson.MarshalOptions{Multiline: true, UseProtoNames: true}.Marshal(boot)
}

// longPatterns lets patterns be as long as the names of a pool's nodes are together.
// Envoy refuses those of more than 100 instructions, which nine long names have.
func longPatterns() *bootstrapv3.LayeredRuntime {
	s := &structpb.Struct{Fields: map[string]*structpb.Value{"re2.max_program_size.error_level": structpb.NewNumberValue(1 << 30)}}
	return &bootstrapv3.LayeredRuntime{Layers: []*bootstrapv3.RuntimeLayer{{
		Name: "usher", LayerSpecifier: &bootstrapv3.RuntimeLayer_StaticLayer{StaticLayer: s},
	}}}
}

// adsConfig is one delta stream: a state-of-the-world stream answers a refusal
// with the same again, hundreds of times a second. The limit of requests is the
// second guard against that.
func adsConfig() *corev3.ApiConfigSource {
	return &corev3.ApiConfigSource{
		ApiType:                   corev3.ApiConfigSource_DELTA_GRPC,
		TransportApiVersion:       corev3.ApiVersion_V3,
		SetNodeOnFirstMessageOnly: true,
		RateLimitSettings: &corev3.RateLimitSettings{
			MaxTokens: wrapperspb.UInt32(200), FillRate: wrapperspb.Double(50),
		},
		GrpcServices: []*corev3.GrpcService{{
			TargetSpecifier: &corev3.GrpcService_EnvoyGrpc_{EnvoyGrpc: &corev3.GrpcService_EnvoyGrpc{ClusterName: xdsCluster}},
		}},
	}
}

func (b Bootstrap) xdsCluster() (*clusterv3.Cluster, error) {
	c := &clusterv3.Cluster{
		Name:           xdsCluster,
		ConnectTimeout: durationpb.New(2 * time.Second),
		TypedExtensionProtocolOptions: map[string]*anypb.Any{
			"envoy.extensions.upstreams.http.v3.HttpProtocolOptions": pack(http2()),
		},
	}
	at := pipe(b.Socket)
	if b.Address != "" {
		host, port, err := net.SplitHostPort(b.Address)
		if err != nil {
			return nil, fmt.Errorf("%q is not HOST:PORT", b.Address)
		}
		n, err := strconv.ParseUint(port, 10, 16)
		if err != nil {
			return nil, fmt.Errorf("%q is not a port", port)
		}
		at = socketAddress(host, uint32(n))
		c.ClusterDiscoveryType = &clusterv3.Cluster_Type{Type: clusterv3.Cluster_STRICT_DNS}
		c.TransportSocket = b.mutualTLS()
	}
	c.LoadAssignment = only(xdsCluster, at)
	return c, nil
}

// only is a cluster's one endpoint.
func only(cluster string, at *corev3.Address) *endpointv3.ClusterLoadAssignment {
	return &endpointv3.ClusterLoadAssignment{
		ClusterName: cluster,
		Endpoints: []*endpointv3.LocalityLbEndpoints{{LbEndpoints: []*endpointv3.LbEndpoint{{
			HostIdentifier: &endpointv3.LbEndpoint_Endpoint{Endpoint: &endpointv3.Endpoint{Address: at}},
		}}}},
	}
}

func socketAddress(host string, port uint32) *corev3.Address {
	return &corev3.Address{Address: &corev3.Address_SocketAddress{SocketAddress: &corev3.SocketAddress{
		Address: host, PortSpecifier: &corev3.SocketAddress_PortValue{PortValue: port},
	}}}
}

// buckets are those of the time that requests take, in ms: finer than Envoy's own
// where the answers of a login are, so that a quantile is right within a third.
var buckets = []float64{1, 2, 3, 5, 7, 10, 15, 20, 30, 50, 70, 100, 150, 200, 300, 500, 700, 1000, 2000, 3000, 5000, 10000, 30000, 60000, 300000}

func stats() *metricsv3.StatsConfig {
	return &metricsv3.StatsConfig{HistogramBucketSettings: []*metricsv3.HistogramBucketSettings{{
		Match:   &matcherv3.StringMatcher{MatchPattern: &matcherv3.StringMatcher_Prefix{Prefix: "usher."}},
		Buckets: buckets,
	}}}
}

// http2 pings now and then, so that a dead usher is noticed.
func http2() *httpv3.HttpProtocolOptions {
	return &httpv3.HttpProtocolOptions{
		UpstreamProtocolOptions: &httpv3.HttpProtocolOptions_ExplicitHttpConfig_{
			ExplicitHttpConfig: &httpv3.HttpProtocolOptions_ExplicitHttpConfig{
				ProtocolConfig: &httpv3.HttpProtocolOptions_ExplicitHttpConfig_Http2ProtocolOptions{
					Http2ProtocolOptions: &corev3.Http2ProtocolOptions{ConnectionKeepalive: &corev3.KeepaliveSettings{
						Interval: durationpb.New(30 * time.Second), Timeout: durationpb.New(5 * time.Second),
					}},
				},
			},
		},
	}
}

func (b Bootstrap) mutualTLS() *corev3.TransportSocket {
	return &corev3.TransportSocket{
		Name: "envoy.transport_sockets.tls",
		ConfigType: &corev3.TransportSocket_TypedConfig{TypedConfig: pack(&tlsv3.UpstreamTlsContext{
			Sni: xdsServerName, CommonTlsContext: b.internalTLS(xdsServerName),
		})},
	}
}

// internalTLS is TLS 1.3 between this Envoy and usher, who has a certificate with
// this name. The files are read again whenever the folder changes, so that a
// renewal needs no restart.
func (b Bootstrap) internalTLS(peer string) *tlsv3.CommonTlsContext {
	file := func(name string) *corev3.DataSource {
		return &corev3.DataSource{
			Specifier:        &corev3.DataSource_Filename{Filename: filepath.Join(b.Folder, name)},
			WatchedDirectory: &corev3.WatchedDirectory{Path: b.Folder},
		}
	}
	return &tlsv3.CommonTlsContext{
		TlsParams:       &tlsv3.TlsParameters{TlsMinimumProtocolVersion: tlsv3.TlsParameters_TLSv1_3, TlsMaximumProtocolVersion: tlsv3.TlsParameters_TLSv1_3},
		TlsCertificates: []*tlsv3.TlsCertificate{{CertificateChain: file("client.crt"), PrivateKey: file("client.key")}},
		ValidationContextType: &tlsv3.CommonTlsContext_ValidationContext{ValidationContext: &tlsv3.CertificateValidationContext{
			TrustedCa: file("ca.crt"),
			MatchTypedSubjectAltNames: []*tlsv3.SubjectAltNameMatcher{{
				SanType: tlsv3.SubjectAltNameMatcher_DNS,
				Matcher: &matcherv3.StringMatcher{MatchPattern: &matcherv3.StringMatcher_Exact{Exact: peer}},
			}},
		}},
	}
}

// overload lets Envoy refuse work instead of dying of it.
func (b Bootstrap) overload() *overloadv3.OverloadManager {
	m := &overloadv3.OverloadManager{
		RefreshInterval: durationpb.New(250 * time.Millisecond),
		ResourceMonitors: []*overloadv3.ResourceMonitor{
			monitor("envoy.resource_monitors.global_downstream_max_connections",
				&connectionsv3.DownstreamConnectionsConfig{MaxActiveDownstreamConnections: maxConnections}),
		},
	}
	if b.MaxHeap > 0 {
		const heap = "envoy.resource_monitors.fixed_heap"
		m.ResourceMonitors = append(m.ResourceMonitors, monitor(heap, &heapv3.FixedHeapConfig{MaxHeapSizeBytes: b.MaxHeap}))
		m.Actions = []*overloadv3.OverloadAction{
			action("envoy.overload_actions.shrink_heap", heap, 0.95),
			action("envoy.overload_actions.stop_accepting_requests", heap, 0.98),
		}
	}
	return m
}

func monitor(name string, config proto.Message) *overloadv3.ResourceMonitor {
	return &overloadv3.ResourceMonitor{Name: name, ConfigType: &overloadv3.ResourceMonitor_TypedConfig{TypedConfig: pack(config)}}
}

func action(name, resource string, at float64) *overloadv3.OverloadAction {
	return &overloadv3.OverloadAction{Name: name, Triggers: []*overloadv3.Trigger{{
		Name:         resource,
		TriggerOneof: &overloadv3.Trigger_Threshold{Threshold: &overloadv3.ThresholdTrigger{Value: at}},
	}}}
}

func pipe(path string) *corev3.Address {
	return &corev3.Address{Address: &corev3.Address_Pipe{Pipe: &corev3.Pipe{Path: path, Mode: 0o600}}}
}

func pack(m proto.Message) *anypb.Any {
	a, err := anypb.New(m)
	if err != nil {
		panic("envoy: pack: " + err.Error()) // every message is made here
	}
	return a
}
