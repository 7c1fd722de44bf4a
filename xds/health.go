package xds

import (
	"encoding/hex"
	"maps"
	"slices"
	"strconv"
	"time"

	clusterv3 "github.com/envoyproxy/go-control-plane/envoy/config/cluster/v3"
	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	typev3 "github.com/envoyproxy/go-control-plane/envoy/type/v3"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"usher/model"
)

const healthBody = 16 << 10 // bytes of an answer that are searched

// healthChecks are none, one or both; a node has to pass all of them.
func healthChecks(p model.Pool) (all []*corev3.HealthCheck) {
	h := p.Health
	if h.Path != "" {
		all = append(all, pathCheck(h, p.Protocol))
	}
	if !h.TCP.Off() {
		all = append(all, tcpCheck(h))
	}
	if len(all) > 1 {
		all[0].Name, all[1].Name = "path", "tcp" // required of several
	}
	return all
}

// tcpCheck finds a hung node (SIGSTOP) within 2.5 s by default: at worst two
// intervals of 500 ms and two time-outs of 750 ms. Two failures in a row are
// asked for, so that a pause of the node's garbage collector moves nobody.
func tcpCheck(h model.Health) *corev3.HealthCheck {
	interval, timeout := h.Interval, h.Timeout
	if h.Path != "" {
		interval, timeout = h.TCPInterval, model.DefaultTCPTimeout
	}
	hc := check(h, interval, timeout)
	hc.HealthChecker = &corev3.HealthCheck_TcpHealthCheck_{TcpHealthCheck: &corev3.HealthCheck_TcpHealthCheck{}}
	return hc
}

func check(h model.Health, interval, timeout model.Duration) *corev3.HealthCheck {
	return &corev3.HealthCheck{
		Timeout:            durationpb.New(timeout.Std()),
		Interval:           durationpb.New(interval.Std()),
		NoTrafficInterval:  durationpb.New(interval.Std()), // default: 60 s
		UnhealthyThreshold: u32(uint32(h.Fails)),
		HealthyThreshold:   u32(uint32(h.Passes)),
	}
}

// pathCheck asks over HTTP, in the version that the pool speaks. A status by which a node asks to be drained is no
// failure: usher sees to that (drain_status).
func pathCheck(h model.Health, by model.Protocol) *corev3.HealthCheck {
	asks := &corev3.HealthCheck_HttpHealthCheck{Path: h.Path, Method: corev3.RequestMethod(corev3.RequestMethod_value[string(h.Method)])}
	good := slices.Concat(h.Status, h.DrainStatus)
	if len(good) != 1 || good[0] != (model.StatusRange{From: 200, To: 200}) { // Envoy's own default
		for _, r := range good {
			asks.ExpectedStatuses = append(asks.ExpectedStatuses, &typev3.Int64Range{Start: int64(r.From), End: int64(r.To) + 1})
		}
	}
	if h.Body != "" {
		asks.Receive = []*corev3.HealthCheck_Payload{{Payload: &corev3.HealthCheck_Payload_Text{Text: hex.EncodeToString([]byte(h.Body))}}}
		asks.ResponseBufferSize = wrapperspb.UInt64(healthBody)
	}
	for _, name := range slices.Sorted(maps.Keys(h.Headers)) {
		asks.RequestHeadersToAdd = append(asks.RequestHeadersToAdd, header(name, h.Headers[name]))
	}
	hc := check(h, h.Interval, h.Timeout)
	if by == model.HTTP2 {
		asks.CodecClientType = typev3.CodecClientType_HTTP2
		hc.TlsOptions = &corev3.HealthCheck_TlsOptions{AlpnProtocols: []string{"h2"}}
	}
	hc.HealthChecker = &corev3.HealthCheck_HttpHealthCheck_{HttpHealthCheck: asks}
	return hc
}

// The time that a node stays out that no check brings back.
const (
	firstEjection = 3 * time.Second
	lastEjection  = 10 * time.Second
)

// outlierDetection takes a dead node's users away within their first request,
// long before a health check notices: three connection-level failures in a row
// eject it, which the retries of one request reach (see retryPolicy). Three,
// not one: a single reset connection must not move all its sessions. Answers
// of the application eject only where the file names them, and statistics
// (success rate) are off.
func outlierDetection(p model.Pool) *clusterv3.OutlierDetection {
	if p.Health.Passive == 0 && len(p.FailOnStatus) == 0 {
		return nil
	}
	o := &clusterv3.OutlierDetection{
		SplitExternalLocalOriginErrors:         true,
		ConsecutiveLocalOriginFailure:          u32(uint32(p.Health.Passive)),
		EnforcingConsecutiveLocalOriginFailure: u32(100),
		EnforcingConsecutive_5Xx:               u32(0),
		EnforcingSuccessRate:                   u32(0),
		EnforcingLocalOriginSuccessRate:        u32(0),
		MaxEjectionPercent:                     u32(100),
		Interval:                               durationpb.New(time.Second),
		BaseEjectionTime:                       durationpb.New(firstEjection),
		MaxEjectionTime:                        durationpb.New(lastEjection),
	}
	if len(p.FailOnStatus) > 0 {
		o.Consecutive_5Xx, o.EnforcingConsecutive_5Xx = u32(1), u32(100)
	}
	if !p.ForceRecovery.Off() {
		o.MaxEjectionPercent = u32(99) // of two nodes one, of any number all but one
	}
	if p.Retry > 0 {
		o.BaseEjectionTime, o.MaxEjectionTime = durationpb.New(p.Retry.Std()), durationpb.New(p.Retry.Std())
		o.SuccessfulActiveHealthCheckUnejectHost = wrapperspb.Bool(false)
	}
	return o
}

func statusText(s model.Status) string { return strconv.Itoa(int(s)) }
