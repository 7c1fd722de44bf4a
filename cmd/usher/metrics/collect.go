package metrics

import (
	"context"
	"math"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"usher/cmd/usher/figures"
	"usher/cmd/usher/status"
	"usher/xds"
)

// scrapeLimit bounds a question to Envoy.
const scrapeLimit = 3 * time.Second

// Sources are where a scrape looks. Figures is nil where no Envoy is asked.
type Sources struct {
	Status  func() *status.Status
	Counts  func() map[string]xds.Count
	Figures *figures.Watch
	Own     *Own
}

// Describe names all metrics.
func (s Sources) Describe(all chan<- *prometheus.Desc) {
	for _, m := range table() {
		all <- m.desc()
	}
}

// Collect gathers them.
func (s Sources) Collect(all chan<- prometheus.Metric) {
	out := sink(all)
	s.Own.collect(all)
	for kind, c := range s.Counts() {
		out.put(pushes, float64(c.Pushed), kind)
		out.put(refusals, float64(c.Refused), kind)
	}
	st := s.Status()
	if st == nil {
		return
	}
	out.file(st)
	out.nodes(st)
	out.envoys(st)
	if s.Figures == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), scrapeLimit)
	defer cancel()
	now, totals, err := s.Figures.Ask(ctx)
	answering := 0
	if now != nil {
		answering = now.Envoys
	}
	out.put(up, float64(answering))
	if err == nil {
		out.totals(totals)
	}
	if now != nil {
		out.now(now)
	}
}

// sink takes metrics.
type sink chan<- prometheus.Metric

func (out sink) put(m metric, value float64, labels ...string) {
	kind := prometheus.GaugeValue
	if m.kind == "counter" {
		kind = prometheus.CounterValue
	}
	out <- prometheus.MustNewConstMetric(m.desc(), kind, value, labels...)
}

func truth(is bool) float64 {
	if is {
		return 1
	}
	return 0
}

func (out sink) file(s *status.Status) {
	out.put(serving, truth(s.Serving))
	out.put(fileServed, truth(s.Good() && s.Accepted && s.Source == status.FromFile))
	out.put(fileProblems, float64(len(s.Problems)))
	out.put(warnings, float64(len(s.Warnings)))
	for _, c := range s.Certificates {
		out.put(certExpiry, seconds(c.Expires), c.Name)
		out.put(certIssued, seconds(c.Issued), c.Name)
		if c.ACME != nil {
			out.put(certRefused, float64(c.ACME.Failures), c.Name)
		}
	}
}

func seconds(t time.Time) float64 { return float64(t.UnixMilli()) / 1000 }

func (out sink) nodes(s *status.Status) {
	for _, p := range s.Pools {
		for _, n := range p.Nodes {
			out.put(nodeState, 1, p.Name, n.Name, string(n.State))
			out.put(nodeWeight, n.Weight, p.Name, n.Name)
			out.put(nodeNote, truth(n.Note != ""), p.Name, n.Name)
		}
	}
}

func (out sink) envoys(s *status.Status) {
	connected, good := map[string]float64{}, map[string]bool{}
	for _, e := range s.Envoys {
		ok := true
		for _, k := range e.Kinds {
			ok = ok && (k.State == "ack" || k.State == "unasked")
		}
		if connected[e.Node]++; connected[e.Node] > 1 {
			ok = ok && good[e.Node]
		}
		good[e.Node] = ok
	}
	for id, n := range connected {
		out.put(envoys, n, id)
		out.put(acked, truth(good[id]), id)
	}
	if s.Supervised != nil {
		out.put(restarts, float64(s.Supervised.Restarts))
	}
}

// counters are the metrics of what Envoy counts.
var counters = map[figures.What]metric{
	figures.Requests: requests, figures.Moved: moved, figures.Conflicts: conflicts, figures.Leaks: leaks,
	figures.Failures: failures, figures.Attempts: attempts, figures.Connected: connected, figures.ConnectFailures: unconnected,
	figures.Retries: retries, figures.Timeouts: timeouts, figures.Overflows: overflows,
	figures.Accepted: accepted, figures.Asked: asked, figures.Answered: answered,
	figures.Handshakes: handshakes, figures.HandshakeErrors: tlsErrors,
}

func (out sink) totals(t figures.Totals) {
	for s, n := range t.Counts {
		out.put(counters[s.What], n, labels(s)...)
	}
	for at, timing := range t.Timings {
		out <- histogram(at, timing)
	}
}

// labels are those of a counter in the order of its metric.
func labels(s figures.Series) []string {
	switch s.What {
	case figures.Requests:
		return []string{s.Pool, s.Node, s.More}
	case figures.Moved:
		return []string{s.Pool, s.More, s.Node}
	case figures.Leaks:
		return []string{s.More, s.Node}
	case figures.Answered:
		return []string{s.Pool, s.More}
	case figures.Failures, figures.Attempts, figures.Connected, figures.ConnectFailures:
		return []string{s.Pool, s.Node}
	default:
		return []string{s.Pool}
	}
}

func histogram(at figures.NodeOf, t *figures.Timing) prometheus.Metric {
	buckets, count := map[float64]uint64{}, 0.0
	for i, n := range t.Counts {
		if count += n; i < len(t.Bounds) {
			buckets[t.Bounds[i]/1000] = whole(count)
		}
	}
	return prometheus.MustNewConstHistogram(duration.desc(), whole(count), t.Sum/1000, buckets, at.Pool, at.Node)
}

func whole(n float64) uint64 { return uint64(math.Round(n)) }

func (out sink) now(n *figures.Now) {
	e := n.Envoy
	out.put(uptime, e.Uptime.Seconds())
	out.put(workers, float64(e.Workers))
	out.put(memory, e.Allocated, "allocated")
	out.put(memory, e.Heap, "heap")
	out.put(memory, e.Physical, "physical")
	for _, l := range n.Listeners {
		out.put(listenerCx, float64(l.Connections), l.Name)
		out.put(listenerRq, float64(l.Active), l.Name)
	}
	for _, p := range n.Pools {
		out.put(poolNodes, float64(p.Total), p.Name)
		out.put(poolHealthy, float64(p.Healthy), p.Name)
		out.put(pending, float64(p.Pending), p.Name)
		out.put(breaking, truth(p.Breaking), p.Name)
		for _, x := range p.Nodes {
			out.put(nodeHealth, 1, p.Name, x.Name, string(x.Health))
			out.put(active, float64(x.Active), p.Name, x.Name)
			out.put(connections, float64(x.Connections), p.Name, x.Name)
		}
	}
}
