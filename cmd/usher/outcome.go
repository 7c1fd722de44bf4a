package main

import (
	"context"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"usher/envoy"
	"usher/xds"
)

// sessions reads what became of requests and their sessions from Envoy's counters,
// at every question for the metrics.
type sessions struct{ admin envoy.Admin }

// scrapeLimit bounds a question to Envoy.
const scrapeLimit = 3 * time.Second

var (
	requestsDesc = prometheus.NewDesc("usher_requests_total",
		"Requests to a pool by the node that served them and what became of their session: sticky, new, failover, drained, unknown-route, hash, none, or unserved where no node could.",
		[]string{"pool", "node", "outcome"}, nil)
	conflictsDesc = prometheus.NewDesc("usher_cookie_conflicts_total",
		"Requests with several cookies of one name, of which the first that names a node counted.", []string{"pool"}, nil)
	leaksDesc = prometheus.NewDesc("usher_leaks_total",
		"Answers that named a node to a client, after the mapping of a pool's `reverse`.", []string{"header", "node"}, nil)
)

// Describe names the counters.
func (s sessions) Describe(all chan<- *prometheus.Desc) {
	all <- requestsDesc
	all <- conflictsDesc
	all <- leaksDesc
}

// Collect asks Envoy. Where there is none to ask, there are no figures.
func (s sessions) Collect(all chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), scrapeLimit)
	defer cancel()
	text, err := s.admin.Get(ctx, "/stats/prometheus?usedonly&filter="+xds.CounterFilter)
	if err != nil {
		return
	}
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(strings.NewReader(text))
	if err != nil {
		return
	}
	requests, conflicts := map[[3]string]float64{}, map[string]float64{}
	for _, m := range families[xds.RequestsFamily].GetMetric() {
		o := xds.OutcomeOf(label(m, xds.TagSeat), label(m, xds.TagAsked), label(m, xds.TagNode))
		if o.Pool == "" {
			continue // answered without a pool
		}
		requests[[3]string{o.Pool, o.Node, o.Outcome}] += m.GetCounter().GetValue()
		if o.Conflict {
			conflicts[o.Pool] += m.GetCounter().GetValue()
		}
	}
	for key, n := range requests {
		all <- prometheus.MustNewConstMetric(requestsDesc, prometheus.CounterValue, n, key[0], key[1], key[2])
	}
	for pool, n := range conflicts {
		all <- prometheus.MustNewConstMetric(conflictsDesc, prometheus.CounterValue, n, pool)
	}
	for _, m := range families[xds.LeaksFamily].GetMetric() {
		all <- prometheus.MustNewConstMetric(leaksDesc, prometheus.CounterValue, m.GetCounter().GetValue(), label(m, "header"), label(m, xds.TagNode))
	}
}

func label(m *dto.Metric, name string) string {
	for _, l := range m.GetLabel() {
		if l.GetName() == name {
			return l.GetValue()
		}
	}
	return ""
}
