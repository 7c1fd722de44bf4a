package model_test

import (
	"testing"

	"usher/model"
	"usher/model/sample"
)

// BenchmarkParse reads, completes and checks a file.
func BenchmarkParse(b *testing.B) {
	for _, f := range sample.Sizes() {
		text := []byte(f.Text())
		b.Run(f.Name(), func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(text)))
			for b.Loop() {
				if _, problems := model.Parse("cluster.yaml", text); len(problems) > 0 {
					b.Fatal(problems[0])
				}
			}
		})
	}
}
