package main

import (
	"testing"
	"time"

	"usher/model/sample"
)

// BenchmarkSave is all that the loop does for a save of one weight, but for what
// waits for an Envoy.
func BenchmarkSave(b *testing.B) {
	for _, f := range sample.Sizes() {
		b.Run(f.Name(), func(b *testing.B) {
			text := f.Text()
			texts := []string{text, sample.Reweigh(text, "p0n0", 2)}
			l := alone(b)
			l.save(b, text)
			b.ReportAllocs()
			for i := 1; b.Loop(); i++ {
				l.save(b, texts[i%2])
				l.judge(time.Now())
				l.publishStatus(time.Now())
			}
		})
	}
}

// BenchmarkStatus is what the loop does at every turn.
func BenchmarkStatus(b *testing.B) {
	for _, f := range sample.Sizes() {
		b.Run(f.Name(), func(b *testing.B) {
			l := alone(b)
			l.save(b, f.Text())
			b.ReportAllocs()
			for b.Loop() {
				l.judge(time.Now())
				l.publishStatus(time.Now())
			}
		})
	}
}
