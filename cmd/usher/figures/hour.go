package figures

import (
	"slices"
	"time"
)

const (
	step  = 5 * time.Second
	steps = int(time.Hour / step)
	// pointBytes is what a node takes in one step, and pastLimit what all may: the
	// hour of 728 nodes. Of more nodes the past is shorter, of 10,000 it is four
	// minutes; that of pools stays whole.
	pointBytes = 64
	pastLimit  = 32 << 20
)

// Sample is one step of the past.
type Sample struct {
	Time  time.Time   `json:"time"` // its end
	Pools []PoolPoint `json:"pools"`
}

// PoolPoint is a pool in one step. Nodes that are gone from the past for want of
// memory, and those with nothing to tell, are left out.
type PoolPoint struct {
	Name string `json:"name"`
	Point
	Nodes []NodePoint `json:"nodes,omitempty"`
}

// NodePoint is a node in one step.
type NodePoint struct {
	Name string `json:"name"`
	Point
}

// Point is what a plot needs. Rates are a second.
type Point struct {
	Rate     [outcomes]float32 `json:"rate"`     // by outcome, as AllOutcomes has them
	Failures float32           `json:"failures"` // answers from 500 on
	P99      float32           `json:"p99_ms"`
	Active   int32             `json:"active"`
}

// past is the hour as it grows.
type past struct {
	all    []Sample
	points int // of nodes in it
	since  time.Time
	counts map[Series]float64
}

// add takes the news in and tells whether a step is over.
func (p *past) add(n news, now *Now) bool {
	if n.counts == nil || p.counts == nil {
		p.since, p.counts = now.Time, map[Series]float64{}
		return false
	}
	for s, d := range n.counts {
		p.counts[s] += d
	}
	took := now.Time.Sub(p.since)
	if took < step-watched/2 { // questions are never on time
		return false
	}
	s := sample(now, p.counts, took.Seconds())
	p.all = append(p.all, s)
	p.points += s.nodes()
	p.trim()
	p.since, p.counts = now.Time, map[Series]float64{}
	return true
}

func sample(now *Now, counts map[Series]float64, seconds float64) Sample {
	// The window's rates are of the last second; these are of the whole step.
	over := &Now{Pools: make([]Pool, len(now.Pools))}
	for i, p := range now.Pools {
		over.Pools[i] = Pool{Name: p.Name, Nodes: make([]Node, len(p.Nodes))}
		for j, n := range p.Nodes {
			over.Pools[i].Nodes[j].Name = n.Name
		}
	}
	flows := over.flows()
	for s, d := range counts {
		put(flows, s, func(f *Flow, o Outcome) { f.Rate[o] += d / seconds }, func(f *Flow) { f.FailureRate += d / seconds })
	}
	all := Sample{Time: now.Time}
	for i, p := range now.Pools {
		point := PoolPoint{Name: p.Name, Point: pointOf(p.Flow, over.Pools[i].Flow)}
		for j, n := range p.Nodes {
			if at := pointOf(n.Flow, over.Pools[i].Nodes[j].Flow); at != (Point{}) {
				point.Nodes = append(point.Nodes, NodePoint{n.Name, at})
			}
		}
		all.Pools = append(all.Pools, point)
	}
	return all
}

func pointOf(now, over Flow) Point {
	p := Point{Failures: float32(over.FailureRate), P99: float32(now.P99), Active: int32(now.Active)} //nolint:gosec // requests in flight
	for i, n := range over.Rate {
		p.Rate[i] = float32(n)
	}
	return p
}

func (s Sample) nodes() (n int) {
	for _, p := range s.Pools {
		n += len(p.Nodes)
	}
	return n
}

// trim keeps the past within an hour and within the memory that it may take.
func (p *past) trim() {
	if over := len(p.all) - steps; over > 0 {
		for _, s := range p.all[:over] {
			p.points -= s.nodes()
		}
		p.all = slices.Clone(p.all[over:])
	}
	for i := 0; i < len(p.all)-1 && p.points*pointBytes > pastLimit; i++ {
		s := p.all[i]
		p.points -= s.nodes()
		s.Pools = slices.Clone(s.Pools) // somebody may be reading the old ones
		for j := range s.Pools {
			s.Pools[j].Nodes = nil
		}
		p.all[i] = s
	}
}

// samples are the past as it stays.
func (p *past) samples() []Sample { return slices.Clone(p.all) }
