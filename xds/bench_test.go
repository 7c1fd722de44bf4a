package xds

import (
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
