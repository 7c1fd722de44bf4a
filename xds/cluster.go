package xds

import (
	clusterv3 "github.com/envoyproxy/go-control-plane/envoy/config/cluster/v3"
	typev3 "github.com/envoyproxy/go-control-plane/envoy/type/v3"
	"google.golang.org/protobuf/types/known/anypb"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"usher/model"
)

// unlimited lifts Envoy's circuit breakers (1024 connections and requests, 3
// concurrent retries), which fail requests of a healthy pool: with 20 sessions on
// a killed node three retries are not enough.
const unlimited = 1 << 30

func (b backend) cluster() *clusterv3.Cluster {
	c := &clusterv3.Cluster{
		Name:                 b.Name,
		ClusterDiscoveryType: &clusterv3.Cluster_Type{Type: clusterv3.Cluster_EDS},
		EdsClusterConfig:     &clusterv3.Cluster_EdsClusterConfig{EdsConfig: ads()},
		// The TLS handshake included. A hung node accepts connections (the kernel
		// does) and never shakes hands.
		ConnectTimeout:   durationpb.New(b.ConnectTimeout.Std()),
		LbPolicy:         lbPolicies[b.Balance],
		LbSubsetConfig:   b.subsets(),
		CommonLbConfig:   commonLb(),
		HealthChecks:     healthChecks(b.Pool),
		OutlierDetection: outlierDetection(b.Pool),
		CircuitBreakers:  circuitBreakers(b.Pool),
		TransportSocket:  upstreamTLS(b.Pool),
		// Without it a node that left the file stays in use while its check passes.
		IgnoreHealthOnHostRemoval: true,
		TypedExtensionProtocolOptions: map[string]*anypb.Any{
			"envoy.extensions.upstreams.http.v3.HttpProtocolOptions": pack(httpOptions(b.Pool)),
		},
	}
	b.lbConfig(c)
	b.closing(c)
	return c
}

var lbPolicies = map[model.Balance]clusterv3.Cluster_LbPolicy{
	model.RoundRobin:   clusterv3.Cluster_ROUND_ROBIN,
	model.LeastRequest: clusterv3.Cluster_LEAST_REQUEST,
	model.Random:       clusterv3.Cluster_RANDOM,
	model.RingHash:     clusterv3.Cluster_RING_HASH,
	model.Maglev:       clusterv3.Cluster_MAGLEV,
}

func (b backend) lbConfig(c *clusterv3.Cluster) {
	switch {
	case b.Balance == model.RingHash:
		c.LbConfig = &clusterv3.Cluster_RingHashLbConfig_{RingHashLbConfig: b.ringConfig()}
		c.CommonLbConfig.LocalityConfigSpecifier = &clusterv3.Cluster_CommonLbConfig_LocalityWeightedLbConfig_{
			LocalityWeightedLbConfig: &clusterv3.Cluster_CommonLbConfig_LocalityWeightedLbConfig{},
		}
	case b.SlowStart == 0:
	case b.Balance == model.RoundRobin:
		c.LbConfig = &clusterv3.Cluster_RoundRobinLbConfig_{RoundRobinLbConfig: &clusterv3.Cluster_RoundRobinLbConfig{SlowStartConfig: slowStart(b.SlowStart)}}
	case b.Balance == model.LeastRequest:
		c.LbConfig = &clusterv3.Cluster_LeastRequestLbConfig_{LeastRequestLbConfig: &clusterv3.Cluster_LeastRequestLbConfig{SlowStartConfig: slowStart(b.SlowStart)}}
	}
}

func slowStart(window model.Duration) *clusterv3.Cluster_SlowStartConfig {
	return &clusterv3.Cluster_SlowStartConfig{SlowStartWindow: durationpb.New(window.Std())}
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

// circuitBreakers limit connections for each node and waiting requests for all of
// them: Envoy counts the latter in no other way.
func circuitBreakers(p model.Pool) *clusterv3.CircuitBreakers {
	limit := wrapperspb.UInt32(unlimited)
	t := &clusterv3.CircuitBreakers_Thresholds{MaxConnections: limit, MaxPendingRequests: limit, MaxRequests: limit, MaxRetries: limit}
	c := &clusterv3.CircuitBreakers{Thresholds: []*clusterv3.CircuitBreakers_Thresholds{t}}
	if p.MaxPending > 0 {
		t.MaxPendingRequests = u32(uint32(min(uint64(p.MaxPending)*uint64(len(p.Nodes)), unlimited)))
	}
	if p.MaxConnections > 0 {
		c.PerHostThresholds = []*clusterv3.CircuitBreakers_Thresholds{{MaxConnections: u32(uint32(p.MaxConnections))}}
	}
	return c
}
