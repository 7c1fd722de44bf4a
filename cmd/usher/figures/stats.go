package figures

import (
	"math"
	"net/url"
	"strconv"
	"strings"
	"time"

	"usher/envoy"
	"usher/xds"
)

// statsPage is the question for everything that is counted: what usher has Envoy
// count, and of Envoy's own what is used here and nothing else.
var statsPage = "/stats/prometheus?usedonly&filter=" + url.QueryEscape(strings.Join([]string{
	xds.CounterFilter,
	`^server\.(uptime|concurrency|memory_(allocated|heap_size|physical_size)|state)$`,
	`^http\..*\.downstream_(rq_(total|active|[1-5]xx)|cx_(total|active))$`,
	`^listener\..*\.ssl\.(handshake|connection_error|fail_verify_[a-z_]*)$`,
	`^cluster\..*\.(membership_(total|healthy)|upstream_rq_(pending_active|pending_overflow|retry|timeout|per_try_timeout)|upstream_cx_(overflow|pool_overflow)|circuit_breakers\.default\.(cx|cx_pool|rq|rq_pending|rq_retry)_open)$`,
}, "|"))

// ownCluster is by what Envoy reaches usher.
const ownCluster = "xds"

// reading is one answer of Envoy, in its own words where it has to be put together
// yet.
type reading struct {
	at        time.Time
	uptime    float64 // s
	hosts     map[hostKey]*host
	counts    map[series]float64
	timings   map[hostKey]*Timing // by cluster and the node's name
	envoy     Envoy
	listeners map[string]*Listener
	pools     map[string]*poolGauges
}

// poolGauges are those of a cluster that do not only grow.
type poolGauges struct {
	total, healthy, pending float64
	breaking                bool
}

func newReading(at time.Time) *reading {
	return &reading{
		at: at, counts: map[series]float64{}, timings: map[hostKey]*Timing{},
		listeners: map[string]*Listener{}, pools: map[string]*poolGauges{},
	}
}

// stats reads the answer to statsPage.
func (r *reading) stats(text string) error {
	for line := range strings.Lines(text) {
		if strings.HasPrefix(line, "#") {
			continue
		}
		name, tag, value, err := cutSample(strings.TrimSuffix(line, "\n"))
		if err != nil {
			return err
		}
		r.metric(name, tag, value)
	}
	return nil
}

func (r *reading) metric(name string, tag tags, value float64) {
	switch {
	case strings.HasPrefix(name, xds.DurationFamily):
		r.timing(strings.TrimPrefix(name, xds.DurationFamily), tag, value)
	case strings.HasPrefix(name, "envoy_usher_"):
		r.ours(name, tag, value)
	case strings.HasPrefix(name, "envoy_server_"):
		r.server(strings.TrimPrefix(name, "envoy_server_"), value)
	case strings.HasPrefix(name, "envoy_http_"):
		r.http(strings.TrimPrefix(name, "envoy_http_downstream_"), tag, value)
	case strings.HasPrefix(name, "envoy_listener_"):
		r.tls(strings.TrimPrefix(name, "envoy_listener_ssl_"), tag, value)
	case strings.HasPrefix(name, "envoy_cluster_"):
		r.cluster(strings.TrimPrefix(name, "envoy_cluster_"), tag, value)
	}
}

func (r *reading) count(s Series, of string, n float64) { r.counts[series{s, of}] += n }

// ours are the counters that the access log keeps, see xds/accesslog.go.
func (r *reading) ours(name string, tag tags, value float64) {
	node := tag.of(xds.TagNode)
	switch name {
	case xds.RequestsFamily:
		o := xds.OutcomeOf(tag.of(xds.TagSeat), tag.of(xds.TagAsked), node)
		if o.Pool == "" {
			return // answered without a pool
		}
		r.count(Series{Requests, o.Pool, o.Node, o.Outcome}, "", value)
		if o.Node != "" && o.Asked != "" && o.Asked != o.Node && (o.Outcome == Failover.String() || o.Outcome == Drained.String()) {
			r.count(Series{Moved, o.Pool, o.Node, o.Asked}, "", value)
		}
		if o.Conflict {
			r.count(Series{Conflicts, o.Pool, "", ""}, "", value)
		}
	case xds.FailuresFamily:
		if pool, ok := served(tag); ok {
			r.count(Series{Failures, pool, noDash(node), ""}, "", value)
		}
	case xds.LeaksFamily:
		r.count(Series{Leaks, "", noDash(node), tag.of("header")}, "", value)
	}
}

// served is the pool that served a request, if one did.
func served(tag tags) (pool string, ok bool) {
	cluster := noDash(tag.of(xds.TagCluster))
	return xds.PoolOf(cluster), cluster != ""
}

// noDash is empty where Envoy has nothing to say.
func noDash(s string) string {
	if s == "-" {
		return ""
	}
	return s
}

// timing takes a line of a histogram: its buckets, in order, then sum and count.
func (r *reading) timing(part string, tag tags, value float64) {
	if _, ok := served(tag); !ok {
		return
	}
	key := hostKey{tag.of(xds.TagCluster), noDash(tag.of(xds.TagNode))}
	t := r.timings[key]
	if t == nil {
		t = &Timing{}
		r.timings[key] = t
	}
	switch part {
	case "_bucket":
		if bound, err := strconv.ParseFloat(tag.of("le"), 64); err == nil && !math.IsInf(bound, 1) {
			t.Bounds = append(t.Bounds, bound)
		}
		t.Counts = append(t.Counts, value)
	case "_sum":
		t.Sum = value
	case "_count": // the last line: Envoy's counts are of all below a bound
		for i := len(t.Counts) - 1; i > 0; i-- {
			t.Counts[i] -= t.Counts[i-1]
		}
	}
}

func (r *reading) server(name string, value float64) {
	switch name {
	case "uptime":
		r.uptime = value
		r.envoy.Uptime = time.Duration(value) * time.Second
	case "concurrency":
		r.envoy.Workers = int(value)
	case "memory_allocated":
		r.envoy.Allocated = value
	case "memory_heap_size":
		r.envoy.Heap = value
	case "memory_physical_size":
		r.envoy.Physical = value
	case "state":
		r.envoy.Draining = value == 1 // LIVE, DRAINING, PRE_INITIALIZING, INITIALIZING
	}
}

func (r *reading) http(name string, tag tags, value float64) {
	listener := tag.of("envoy_http_conn_manager_prefix")
	if listener == "admin" || listener == "async-client" || listener == envoy.FiguresName {
		return // named so in the file it would be missed: it is Envoy's own
	}
	l := r.listeners[listener]
	if l == nil {
		l = &Listener{Name: listener}
		r.listeners[listener] = l
	}
	switch name {
	case "rq_total":
		r.count(Series{Asked, listener, "", ""}, "", value)
	case "rq_active":
		l.Active = int(value)
	case "rq_xx":
		r.count(Series{Answered, listener, "", tag.of("envoy_response_code_class") + "xx"}, "", value)
	case "cx_total":
		r.count(Series{Accepted, listener, "", ""}, "", value)
	case "cx_active":
		l.Connections = int(value)
	}
}

func (r *reading) tls(name string, tag tags, value float64) {
	address := tag.of("envoy_listener_address")
	if i := strings.LastIndex(address, "_"); i >= 0 { // Envoy has no colons in names
		address = address[:i] + ":" + address[i+1:]
	}
	if name == "handshake" {
		r.count(Series{Handshakes, address, "", ""}, "", value)
		return
	}
	r.count(Series{HandshakeErrors, address, "", ""}, name, value)
}

func (r *reading) cluster(name string, tag tags, value float64) {
	cluster := tag.of("envoy_cluster_name")
	pool := xds.PoolOf(cluster)
	if pool == "" || pool == ownCluster || pool == envoy.FiguresName {
		return
	}
	g := r.pools[pool]
	if g == nil {
		g = &poolGauges{}
		r.pools[pool] = g
	}
	switch name {
	case "membership_total":
		g.total = max(g.total, value)
	case "membership_healthy":
		g.healthy = max(g.healthy, value)
	case "upstream_rq_pending_active":
		g.pending += value
	case "upstream_rq_retry":
		r.count(Series{Retries, pool, "", ""}, cluster, value)
	case "upstream_rq_timeout", "upstream_rq_per_try_timeout":
		r.count(Series{Timeouts, pool, "", ""}, cluster+"/"+name, value)
	case "upstream_rq_pending_overflow", "upstream_cx_overflow", "upstream_cx_pool_overflow":
		r.count(Series{Overflows, pool, "", ""}, cluster+"/"+name, value)
	default:
		g.breaking = g.breaking || strings.HasSuffix(name, "_open") && value > 0
	}
}
