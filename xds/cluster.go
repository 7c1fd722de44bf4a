package xds

import (
	"time"

	clusterv3 "github.com/envoyproxy/go-control-plane/envoy/config/cluster/v3"
	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	httpv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/upstreams/http/v3"
	typev3 "github.com/envoyproxy/go-control-plane/envoy/type/v3"
	"google.golang.org/protobuf/types/known/anypb"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"usher/model"
)

const (
	// connectTimeout bounds connecting to a node, its TLS handshake included. A
	// hung node accepts connections (the kernel does) and never shakes hands.
	connectTimeout = time.Second
	// upstreamIdle closes a kept connection before Tomcat does, after 20 s:
	// otherwise a request meets a connection that is just being closed.
	upstreamIdle = 15 * time.Second
	// unlimited lifts Envoy's circuit breakers (1024 connections and requests,
	// 3 concurrent retries), which fail requests of a healthy pool: with 20
	// sessions on a killed node three retries are not enough.
	unlimited = 1 << 30
)

func cluster(p model.Pool) *clusterv3.Cluster {
	c := &clusterv3.Cluster{
		Name:                 p.Name,
		ClusterDiscoveryType: &clusterv3.Cluster_Type{Type: clusterv3.Cluster_EDS},
		EdsClusterConfig:     &clusterv3.Cluster_EdsClusterConfig{EdsConfig: ads()},
		ConnectTimeout:       durationpb.New(connectTimeout),
		LbPolicy:             lbPolicies[p.Balance],
		LbSubsetConfig:       subsets(p),
		CommonLbConfig:       commonLb(),
		HealthChecks:         []*corev3.HealthCheck{healthCheck(p.Health)},
		OutlierDetection:     outlierDetection(),
		CircuitBreakers:      circuitBreakers(),
		TransportSocket:      upstreamTLS(p),
		// Without it a node that left the file stays in use while its check passes.
		IgnoreHealthOnHostRemoval: true,
		TypedExtensionProtocolOptions: map[string]*anypb.Any{
			"envoy.extensions.upstreams.http.v3.HttpProtocolOptions": pack(httpOptions()),
		},
	}
	if p.Balance == model.RingHash {
		c.LbConfig = &clusterv3.Cluster_RingHashLbConfig_{RingHashLbConfig: ringConfig(p)}
		c.CommonLbConfig.LocalityConfigSpecifier = &clusterv3.Cluster_CommonLbConfig_LocalityWeightedLbConfig_{
			LocalityWeightedLbConfig: &clusterv3.Cluster_CommonLbConfig_LocalityWeightedLbConfig{},
		}
	}
	return c
}

var lbPolicies = map[model.Balance]clusterv3.Cluster_LbPolicy{
	model.RoundRobin:   clusterv3.Cluster_ROUND_ROBIN,
	model.LeastRequest: clusterv3.Cluster_LEAST_REQUEST,
	model.Random:       clusterv3.Cluster_RANDOM,
	model.RingHash:     clusterv3.Cluster_RING_HASH,
	model.Maglev:       clusterv3.Cluster_MAGLEV,
}

func commonLb() *clusterv3.Cluster_CommonLbConfig {
	return &clusterv3.Cluster_CommonLbConfig{
		// A subset of one dead node is otherwise "in panic", and the dead node is
		// chosen for ever.
		HealthyPanicThreshold: &typev3.Percent{Value: 0},
		// Envoy otherwise holds changes of weight and metadata back for 1 s.
		UpdateMergeWindow: durationpb.New(0),
	}
}

// healthCheck finds a hung node (SIGSTOP) within 2.5 s by default: at worst two
// intervals of 500 ms and two time-outs of 750 ms. Two failures in a row are
// asked for, so that a pause of the node's garbage collector moves nobody.
func healthCheck(h model.Health) *corev3.HealthCheck {
	hc := &corev3.HealthCheck{
		Timeout:            durationpb.New(checkTimeout(h)),
		Interval:           durationpb.New(h.Interval.Std()),
		NoTrafficInterval:  durationpb.New(h.Interval.Std()), // default: 60 s
		UnhealthyThreshold: u32(2),
		HealthyThreshold:   u32(1),
		HealthChecker:      &corev3.HealthCheck_TcpHealthCheck_{TcpHealthCheck: &corev3.HealthCheck_TcpHealthCheck{}},
	}
	if h.Path != "" {
		hc.HealthChecker = &corev3.HealthCheck_HttpHealthCheck_{HttpHealthCheck: &corev3.HealthCheck_HttpHealthCheck{Path: h.Path}}
	}
	return hc
}

func checkTimeout(h model.Health) time.Duration {
	if h.Path != "" {
		return max(h.Interval.Std()/2, time.Second)
	}
	return 750 * time.Millisecond
}

// outlierDetection takes a dead node's users away within their first request,
// long before a health check notices: three connection-level failures in a row
// eject it, which the retries of one request reach (see retryPolicy). Three,
// not one: a single reset connection must not move all its sessions. Answers
// of the application (5xx) never eject, and statistics (success rate) are off.
func outlierDetection() *clusterv3.OutlierDetection {
	return &clusterv3.OutlierDetection{
		SplitExternalLocalOriginErrors:         true,
		ConsecutiveLocalOriginFailure:          u32(3),
		EnforcingConsecutiveLocalOriginFailure: u32(100),
		EnforcingConsecutive_5Xx:               u32(0),
		EnforcingSuccessRate:                   u32(0),
		EnforcingLocalOriginSuccessRate:        u32(0),
		MaxEjectionPercent:                     u32(100),
		Interval:                               durationpb.New(time.Second),
		BaseEjectionTime:                       durationpb.New(3 * time.Second),
		MaxEjectionTime:                        durationpb.New(10 * time.Second),
	}
}

func circuitBreakers() *clusterv3.CircuitBreakers {
	limit := wrapperspb.UInt32(unlimited)
	return &clusterv3.CircuitBreakers{Thresholds: []*clusterv3.CircuitBreakers_Thresholds{{
		MaxConnections: limit, MaxPendingRequests: limit, MaxRequests: limit, MaxRetries: limit,
	}}}
}

func httpOptions() *httpv3.HttpProtocolOptions {
	return &httpv3.HttpProtocolOptions{
		CommonHttpProtocolOptions: &corev3.HttpProtocolOptions{IdleTimeout: durationpb.New(upstreamIdle)},
		UpstreamProtocolOptions: &httpv3.HttpProtocolOptions_ExplicitHttpConfig_{
			ExplicitHttpConfig: &httpv3.HttpProtocolOptions_ExplicitHttpConfig{
				ProtocolConfig: &httpv3.HttpProtocolOptions_ExplicitHttpConfig_HttpProtocolOptions{
					HttpProtocolOptions: &corev3.Http1ProtocolOptions{},
				},
			},
		},
	}
}
