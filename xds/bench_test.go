package xds

import (
	"runtime"
	"testing"
	"time"

	"usher/model"
	"usher/model/sample"
)

// sampled are a file and the same with another weight of one node.
func sampled(b *testing.B, f sample.File) [2]*model.Cluster {
	b.Helper()
	text := f.Text()
	var both [2]*model.Cluster
	for i, t := range []string{text, sample.Reweigh(text, "p0n0", 2)} {
		c, problems := model.Parse("cluster.yaml", []byte(t))
		if len(problems) > 0 {
			b.Fatal(problems)
		}
		both[i] = c
	}
	return both
}

// everySize measures something for a file that comes first, and for one weight.
func everySize(b *testing.B, first, weight func(b *testing.B, c [2]*model.Cluster)) {
	for _, f := range sample.Sizes() {
		b.Run(f.Name(), func(b *testing.B) {
			c := sampled(b, f)
			b.Run("first", func(b *testing.B) { b.ReportAllocs(); first(b, c) })
			b.Run("one_weight", func(b *testing.B) { b.ReportAllocs(); weight(b, c) })
		})
	}
}

func BenchmarkTranslate(b *testing.B) {
	everySize(b, func(b *testing.B, c [2]*model.Cluster) {
		for b.Loop() {
			Translate(c[0], Material{})
		}
	}, func(b *testing.B, c [2]*model.Cluster) {
		_, past := Again(nil, c[0], Material{})
		for i := 1; b.Loop(); i++ {
			_, past = Again(past, c[i%2], Material{})
		}
	})
}

// BenchmarkHash packs what has changed and hashes it.
func BenchmarkHash(b *testing.B) {
	everySize(b, func(b *testing.B, c [2]*model.Cluster) {
		r := Translate(c[0], Material{})
		for b.Loop() {
			newTwins(r, twins{})
		}
	}, func(b *testing.B, c [2]*model.Cluster) {
		one, past := Again(nil, c[0], Material{})
		other, _ := Again(past, c[1], Material{})
		r := [2]Resources{one, other}
		last := newTwins(r[0], twins{})
		for i := 1; b.Loop(); i++ {
			last = newTwins(r[i%2], last)
		}
	})
}

// BenchmarkStructural tells whether Envoy has to be asked.
func BenchmarkStructural(b *testing.B) {
	everySize(b, func(b *testing.B, c [2]*model.Cluster) {
		one, other := Translate(c[0], Material{}), Translate(c[1], Material{})
		for b.Loop() {
			Structural(one, other)
		}
	}, func(b *testing.B, c [2]*model.Cluster) {
		one, past := Again(nil, c[0], Material{})
		other, _ := Again(past, c[1], Material{})
		for b.Loop() {
			Structural(one, other)
		}
	})
}

// BenchmarkPublish is all of the server's work on a publication but for the stream.
func BenchmarkPublish(b *testing.B) {
	everySize(b, func(b *testing.B, c [2]*model.Cluster) {
		r := Translate(c[0], Material{})
		for b.Loop() {
			NewServer(func() {}).Publish(r, time.Now())
		}
	}, func(b *testing.B, c [2]*model.Cluster) {
		one, past := Again(nil, c[0], Material{})
		other, _ := Again(past, c[1], Material{})
		r := [2]Resources{one, other}
		s := NewServer(func() {})
		s.Publish(one, time.Now())
		for i := 1; b.Loop(); i++ {
			s.Publish(r[i%2], time.Now())
		}
	})
}

// BenchmarkFleet is a thousand Envoys on one usher: until all of them have a change,
// and until usher knows; and how long it takes a new usher to greet them, when they
// have everything already.
func BenchmarkFleet(b *testing.B) {
	const n = 1000
	for _, size := range []sample.File{{Pools: 5, Each: 20}, {Pools: 50, Each: 20}} {
		r := [2]Resources{fleetFile(b, size, 1, model.DefaultTimeout), fleetFile(b, size, 2, model.DefaultTimeout)}
		routes := [2]Resources{r[1], fleetFile(b, size, 2, 2*model.DefaultTimeout)}
		b.Run(size.Name(), func(b *testing.B) {
			f := newFleet(b, r[0])
			before := weigh()
			f.join(n)
			f.settled(n)
			b.Run("one_weight", func(b *testing.B) { f.measure(b, n, r) })
			f.change(r[1])
			f.settled(n)
			b.Run("one_route", func(b *testing.B) { f.measure(b, n, routes) })
			f.change(routes[0])
			f.greeted(n)
			b.Run("joined", func(b *testing.B) {
				all := weigh()
				b.ReportMetric(float64(all.heap-before.heap)/n/1000, "KB/client")
				b.ReportMetric(float64(all.goroutines-before.goroutines)/n, "goroutines/client")
				b.ReportMetric(0, "ns/op")
			})
			f.leave()
			f.gone.Wait()
			b.Run("left", func(b *testing.B) {
				f.until("all to be forgotten", func() bool { return len(f.Clients()) == 0 && runtime.NumGoroutine() <= before.goroutines+1 }) // its own
				b.ReportMetric(float64(weigh().heap-before.heap)/1e6, "MB-left")
				b.ReportMetric(0, "ns/op")
			})
			b.Run("come_back", func(b *testing.B) {
				known := f.members
				for b.Loop() {
					next := newFleet(b, routes[0])
					next.join(n, known...)
					next.greeted(n)
					b.StopTimer()
					b.ReportMetric(float64(next.told.Load()), "resources")
					next.leave()
					next.gone.Wait()
					b.StartTimer()
				}
			})
		})
	}
}

// measure changes from one to the other.
func (f *fleet) measure(b *testing.B, n int, between [2]Resources) {
	have := time.Duration(0)
	for i := 1; b.Loop(); i++ {
		began := time.Now()
		f.change(between[i%2])
		f.have(between[i%2])
		have += time.Since(began)
		f.settled(n)
	}
	b.ReportMetric(float64(have.Milliseconds())/float64(b.N), "ms-have")
}

type weight struct {
	heap       int64
	goroutines int
}

func weigh() weight {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return weight{int64(m.HeapAlloc + m.StackInuse), runtime.NumGoroutine()} //nolint:gosec // bytes of a heap
}
