package figures

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"usher/envoy"
	"usher/xds"
)

// Source is an Envoy that can be asked.
type Source struct {
	Name  string // where it is; empty for the one that is supervised
	Admin envoy.Admin
}

// Only is one Envoy that is always the same.
func Only(a envoy.Admin) func() []Source {
	return func() []Source { return []Source{{"", a}} }
}

// askedAtOnce is how many Envoys are asked at the same time.
const askedAtOnce = 8

// readAll asks all Envoys for both pages, and says which with a name do not answer,
// and why.
func readAll(ctx context.Context, all []Source, l layout, at time.Time) (map[string]*reading, []string) {
	var mu sync.Mutex
	var asking sync.WaitGroup
	readings, silent := make(map[string]*reading, len(all)), []string{}
	slot := make(chan struct{}, askedAtOnce)
	for _, s := range all {
		slot <- struct{}{}
		asking.Go(func() {
			r, err := s.read(ctx, l, at)
			<-slot
			mu.Lock()
			defer mu.Unlock()
			switch {
			case err == nil:
				readings[s.Name] = r
			case s.Name != "": // of the one that is supervised more is known
				silent = append(silent, fmt.Sprintf("the Envoy at %s does not show its figures: %v", s.Name, err))
			}
		})
	}
	asking.Wait()
	slices.Sort(silent)
	return readings, silent
}

// read asks for both pages. Envoy's main thread writes them, not one that serves.
func (s Source) read(ctx context.Context, l layout, at time.Time) (*reading, error) {
	stats, err := s.Admin.Get(ctx, statsPage)
	if err != nil {
		return nil, err
	}
	clusters, err := s.Admin.Get(ctx, "/clusters")
	if err != nil {
		return nil, err
	}
	r := newReading(at)
	if err := r.stats(stats); err != nil {
		return nil, err
	}
	r.hosts = parseHosts(clusters)
	for key, h := range r.hosts {
		pool := xds.PoolOf(key.cluster)
		if node := l.node(pool, key.address); node != "" {
			h.counts(key, node, func(s series, n float64) { r.counts[s] = n })
		}
	}
	return r, nil
}

// together is what all Envoys have and do now: what flows adds up, and of how a node
// is the worst is told. What is counted is the ledger's.
func together(all map[string]*reading, at time.Time) *reading {
	sum := newReading(at)
	sum.hosts = map[hostKey]*host{}
	for _, name := range slices.Sorted(maps.Keys(all)) {
		r := all[name]
		sum.envoy = sum.envoy.and(r.envoy)
		for name, l := range r.listeners {
			if sum.listeners[name] == nil {
				sum.listeners[name] = &Listener{Name: name}
			}
			sum.listeners[name].Active += l.Active
			sum.listeners[name].Connections += l.Connections
		}
		for name, g := range r.pools {
			sum.pools[name] = sum.pools[name].and(g)
		}
		for key, h := range r.hosts {
			sum.hosts[key] = sum.hosts[key].and(h)
		}
	}
	return sum
}

func (e Envoy) and(more Envoy) Envoy {
	if e.Uptime == 0 || more.Uptime < e.Uptime {
		e.Uptime = more.Uptime
	}
	e.Workers += more.Workers
	e.Allocated += more.Allocated
	e.Heap += more.Heap
	e.Physical += more.Physical
	e.Draining = e.Draining || more.Draining
	return e
}

// and keeps the fewest healthy nodes that an Envoy has.
func (g *poolGauges) and(more *poolGauges) *poolGauges {
	if g == nil {
		first := *more
		return &first
	}
	g.total, g.healthy = max(g.total, more.total), min(g.healthy, more.healthy)
	g.pending += more.pending
	g.breaking = g.breaking || more.breaking
	return g
}

// and keeps the flags that say the most.
func (h *host) and(more *host) *host {
	if h == nil {
		first := *more
		return &first
	}
	h.active += more.active
	h.connections += more.connections
	if badness(more.flags) > badness(h.flags) {
		h.flags = more.flags
	}
	return h
}
