// Package metrics is /metrics: what usher knows of itself, and what its Envoy
// counts, under names that stay.
//
// Every metric stands in one table with its type, its labels and a help text that
// gives its unit; the README's chapter is made of it. A scrape asks Envoy at once
// and leaves nothing behind. It counts nothing but what usher does itself, and
// serves Prometheus and whoever writes rules and dashboards.
package metrics

import (
	"fmt"
	"strings"

	"github.com/prometheus/client_golang/prometheus"
)

// metric is a row of the table.
type metric struct {
	name   string
	kind   string // counter, gauge or histogram
	labels []string
	help   string
}

func (m metric) desc() *prometheus.Desc { return prometheus.NewDesc(m.name, m.help, m.labels, nil) }

// The metrics. Counters of Envoy's go on where they were when it is started anew;
// they begin anew with usher, from what Envoy has counted by then.
var (
	serving      = metric{"usher_serving", "gauge", nil, "1 while something is served, be it the last accepted file."}
	fileServed   = metric{"usher_file_served", "gauge", nil, "1 while cluster.yaml as it is now is what is served, and every Envoy has accepted it."}
	fileProblems = metric{"usher_file_problems", "gauge", nil, "Faults of cluster.yaml as it is now, certificates that can't be obtained among them."}
	warnings     = metric{"usher_warnings", "gauge", nil, "What works and should not stay, see usher status."}
	reloads      = metric{"usher_reloads_total", "counter", []string{"result"}, "Saves of cluster.yaml by what became of them: accepted by every Envoy, faulty, or refused by an Envoy."}
	saveTime     = metric{"usher_save_accepted_seconds", "histogram", nil, "Time in seconds from when a save was read until every Envoy had accepted it."}
	pushes       = metric{"usher_pushes_total", "counter", []string{"kind"}, "Answers to Envoys with something new, by the kind of resources."}
	refusals     = metric{"usher_refusals_total", "counter", []string{"kind"}, "Pushes that an Envoy refused (NACK), by the kind of resources."}

	certExpiry  = metric{"usher_certificate_expiry_timestamp_seconds", "gauge", []string{"name"}, "When a certificate that is served ends, in seconds since 1970."}
	certIssued  = metric{"usher_certificate_issued_timestamp_seconds", "gauge", []string{"name"}, "When a certificate that is served began to be valid, in seconds since 1970."}
	certRefused = metric{"usher_certificate_failures", "gauge", []string{"name"}, "Tries in a row in which the ACME directory gave no certificate; 0 is good."}

	nodeState   = metric{"usher_node_state", "gauge", []string{"pool", "node", "state"}, "1 for the state that cluster.yaml gives a node: active, drain, disabled, standby or spare."}
	nodeWeight  = metric{"usher_node_weight", "gauge", []string{"pool", "node"}, "A node's share of new sessions, as cluster.yaml has it; 1 is usual."}
	nodeHealth  = metric{"usher_node_health", "gauge", []string{"pool", "node", "health"}, "1 for how a node stands with Envoy, of several the worst: healthy, draining, pending, failing, ejected, leaving, disabled or absent."}
	nodeNote    = metric{"usher_node_noted", "gauge", []string{"pool", "node"}, "1 where something is odd about a node, such as sessions that do not end in its name; usher status says what."}
	requests    = metric{"usher_requests_total", "counter", []string{"pool", "node", "outcome"}, "Requests to a pool by the node that served them and what became of their session: sticky, new, failover, drained, unknown-route, hash, none, or unserved where no node could."}
	moved       = metric{"usher_sessions_moved_total", "counter", []string{"pool", "from", "to"}, "Requests that another node served than the one that their session names; one for each session where the new node puts its own name into the cookie."}
	conflicts   = metric{"usher_cookie_conflicts_total", "counter", []string{"pool"}, "Requests with several cookies of one name, of which the first that names a node counted."}
	leaks       = metric{"usher_leaks_total", "counter", []string{"header", "node"}, "Answers that named a node to a client, after the mapping of a pool's `reverse`."}
	envoys      = metric{"usher_envoy_connected", "gauge", []string{"envoy"}, "Connections of an Envoy to usher, by its node id."}
	acked       = metric{"usher_envoy_acked", "gauge", []string{"envoy"}, "1 while an Envoy has accepted all that is published, by its node id."}
	up          = metric{"usher_envoy_up", "gauge", nil, "How many Envoys show usher what they count: 1 while the one of usher run answers."}
	restarts    = metric{"usher_envoy_restarts_total", "counter", nil, "How often the supervised Envoy was started again after it died."}
	uptime      = metric{"usher_envoy_uptime_seconds", "gauge", nil, "How long Envoy has run, in seconds; of several, the shortest."}
	workers     = metric{"usher_envoy_workers", "gauge", nil, "Threads of Envoy that serve; of several, all."}
	memory      = metric{"usher_envoy_memory_bytes", "gauge", []string{"kind"}, "Memory of Envoy in bytes, of several their sum: allocated by what lives, heap taken from the system, physical."}
	listenerCx  = metric{"usher_envoy_listener_connections", "gauge", []string{"listener"}, "Open connections of clients."}
	accepted    = metric{"usher_envoy_listener_connections_total", "counter", []string{"listener"}, "Connections of clients that were accepted."}
	listenerRq  = metric{"usher_envoy_listener_active_requests", "gauge", []string{"listener"}, "Requests that clients wait for."}
	asked       = metric{"usher_envoy_listener_requests_total", "counter", []string{"listener"}, "Requests of clients, also those that no pool answers."}
	answered    = metric{"usher_envoy_listener_responses_total", "counter", []string{"listener", "class"}, "Answers to clients by the class of their status, 2xx for example."}
	handshakes  = metric{"usher_envoy_tls_handshakes_total", "counter", []string{"address"}, "TLS handshakes of clients that succeeded, by the address of the listener."}
	tlsErrors   = metric{"usher_envoy_tls_handshake_errors_total", "counter", []string{"address"}, "TLS handshakes of clients that failed, by the address of the listener."}
	poolNodes   = metric{"usher_envoy_pool_nodes", "gauge", []string{"pool"}, "Nodes of a pool that Envoy has."}
	poolHealthy = metric{"usher_envoy_pool_healthy_nodes", "gauge", []string{"pool"}, "Nodes of a pool that Envoy takes for healthy."}
	pending     = metric{"usher_envoy_pending_requests", "gauge", []string{"pool"}, "Requests that wait for a connection to a node."}
	breaking    = metric{"usher_envoy_circuit_open", "gauge", []string{"pool"}, "1 while a limit of the pool, such as max_pending, is reached."}
	overflows   = metric{"usher_envoy_overflows_total", "counter", []string{"pool"}, "Requests and connections that a limit of the pool refused."}
	retries     = metric{"usher_envoy_retries_total", "counter", []string{"pool"}, "Requests that were tried again."}
	timeouts    = metric{"usher_envoy_timeouts_total", "counter", []string{"pool"}, "Requests, and attempts, that took longer than they may."}
	active      = metric{"usher_envoy_active_requests", "gauge", []string{"pool", "node"}, "Requests that a node works on."}
	connections = metric{"usher_envoy_connections", "gauge", []string{"pool", "node"}, "Open connections to a node."}
	connected   = metric{"usher_envoy_connections_total", "counter", []string{"pool", "node"}, "Connections that were made to a node."}
	unconnected = metric{"usher_envoy_connect_failures_total", "counter", []string{"pool", "node"}, "Connections to a node that failed, not counting its checks."}
	attempts    = metric{"usher_envoy_requests_total", "counter", []string{"pool", "node"}, "Requests that were sent to a node, each attempt for itself."}
	failures    = metric{"usher_envoy_responses_5xx_total", "counter", []string{"pool", "node"}, "Answers from 500 on; without a node they are Envoy's own."}
	duration    = metric{"usher_envoy_request_duration_seconds", "histogram", []string{"pool", "node"}, "Time in seconds from the first byte of a request until the last of its answer."}
)

// table are all of them, in the order of the README.
func table() []metric {
	return []metric{
		serving, fileServed, fileProblems, warnings, reloads, saveTime, pushes, refusals,
		certExpiry, certIssued, certRefused,
		nodeState, nodeWeight, nodeHealth, nodeNote, requests, moved, conflicts, leaks,
		envoys, acked, up, restarts, uptime, workers, memory,
		listenerCx, accepted, listenerRq, asked, answered, handshakes, tlsErrors,
		poolNodes, poolHealthy, pending, breaking, overflows, retries, timeouts,
		active, connections, connected, unconnected, attempts, failures, duration,
	}
}

// Reference is the table for readers.
func Reference() string {
	var b strings.Builder
	b.WriteString("\n| metric | type | labels | meaning |\n|---|---|---|---|\n")
	for _, m := range table() {
		labels := strings.Join(m.labels, ", ")
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", m.name, m.kind, labels, m.help)
	}
	return b.String() + "\n"
}
