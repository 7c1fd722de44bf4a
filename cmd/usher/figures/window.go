package figures

import (
	"maps"
	"slices"
	"time"
)

// shortest is over what rates are taken at least: questions of others may come
// close together.
const shortest = 900 * time.Millisecond

// flushes is over what quantiles are taken: Envoy merges its histograms every five
// seconds (stats_flush_interval), and the last two such times cover one for sure.
const flushes = 10 * time.Second

// window is the news of the last moments.
type window struct {
	since  time.Time // when gathering began
	counts map[Series]float64
	rates  map[Series]float64 // a second, of the last whole window
	parts  []part
}

// part are the timings that came at one time.
type part struct {
	at      time.Time
	timings map[NodeOf]*Timing
}

func (w *window) add(n news, at time.Time) {
	if w.since.IsZero() || n.counts == nil {
		w.since, w.counts = at, map[Series]float64{}
		return
	}
	for s, d := range n.counts {
		w.counts[s] += d
	}
	if took := at.Sub(w.since); took >= shortest {
		for s := range w.counts {
			w.counts[s] /= took.Seconds()
		}
		w.rates, w.counts, w.since = w.counts, map[Series]float64{}, at
	}
	w.parts = slices.DeleteFunc(w.parts, func(p part) bool { return at.Sub(p.at) >= flushes })
	if moved := some(n.timings); len(moved) > 0 {
		w.parts = append(w.parts, part{at, moved})
	}
}

// some are the timings of nodes that had requests.
func some(all map[NodeOf]*Timing) map[NodeOf]*Timing {
	moved := map[NodeOf]*Timing{}
	for at, t := range maps.All(all) {
		if slices.ContainsFunc(t.Counts, func(n float64) bool { return n > 0 }) {
			moved[at] = t
		}
	}
	return moved
}

// timings are those of the window, by node, and by pool with no node.
func (w *window) timings() map[NodeOf]*Timing {
	all := map[NodeOf]*Timing{}
	for _, p := range w.parts {
		for at, t := range p.timings {
			grow(all, at, *t)
			if at.Node != "" {
				grow(all, NodeOf{at.Pool, ""}, *t)
			}
		}
	}
	return all
}

// into puts totals, rates and quantiles to their pools and nodes.
func (w *window) into(n *Now, t Totals) {
	flows := n.flows()
	for s, total := range t.Counts {
		put(flows, s, func(f *Flow, o Outcome) {
			f.Requests[o] += total
			f.Rate[o] += w.rates[s]
		}, func(f *Flow) {
			f.Failures += total
			f.FailureRate += w.rates[s]
		})
	}
	for at, t := range w.timings() {
		if f := flows[at]; f != nil {
			f.P50, f.P99 = t.quantile(0.5), t.quantile(0.99)
		}
	}
}

// put finds who a counter is about: a node, and its pool in any case.
func put(flows map[NodeOf]*Flow, s Series, request func(*Flow, Outcome), failure func(*Flow)) {
	outcome, isRequest := Outcome(0), false
	switch s.What {
	case Requests:
		outcome, isRequest = outcomeOf(s.More)
	case Failures:
	default:
		return
	}
	for _, node := range slices.Compact([]string{"", s.Node}) {
		f := flows[NodeOf{s.Pool, node}]
		switch {
		case f == nil:
		case isRequest:
			request(f, outcome)
		case s.What == Failures:
			failure(f)
		}
	}
}

// flows are those of all pools and nodes.
func (n *Now) flows() map[NodeOf]*Flow {
	all := map[NodeOf]*Flow{}
	for i := range n.Pools {
		p := &n.Pools[i]
		all[NodeOf{p.Name, ""}] = &p.Flow
		for j := range p.Nodes {
			all[NodeOf{p.Name, p.Nodes[j].Name}] = &p.Nodes[j].Flow
		}
	}
	return all
}
