package metrics

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Result is what became of a save.
type Result string

// The results.
const (
	Accepted Result = "accepted"
	Faulty   Result = "faulty"
	Refused  Result = "refused"
)

// Own is what usher counts itself. Its methods may be called from any goroutine.
type Own struct {
	reloads *prometheus.CounterVec
	took    prometheus.Histogram
}

// NewOwn begins to count.
func NewOwn() *Own {
	o := &Own{
		reloads: prometheus.NewCounterVec(prometheus.CounterOpts{Name: reloads.name, Help: reloads.help}, reloads.labels),
		took: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: saveTime.name, Help: saveTime.help,
			Buckets: []float64{.05, .1, .2, .3, .5, .75, 1, 2, 5, 10, 30},
		}),
	}
	for _, r := range []Result{Accepted, Faulty, Refused} {
		o.reloads.WithLabelValues(string(r))
	}
	return o
}

// Reload counts a save.
func (o *Own) Reload(r Result) {
	if o != nil {
		o.reloads.WithLabelValues(string(r)).Inc()
	}
}

// Live counts a save that every Envoy has accepted.
func (o *Own) Live(took time.Duration) {
	o.Reload(Accepted)
	if o != nil {
		o.took.Observe(took.Seconds())
	}
}

func (o *Own) collect(all chan<- prometheus.Metric) {
	o.reloads.Collect(all)
	o.took.Collect(all)
}
