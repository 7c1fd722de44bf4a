package model

import (
	"reflect"
	"testing"

	"usher/model/sample"
)

// BenchmarkSteps are the parts of Parse by themselves.
func BenchmarkSteps(b *testing.B) {
	text := []byte(sample.File{Pools: 500, Each: 20}.Text())
	b.Run("yaml", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, p := document(text); p != nil {
				b.Fatal(p)
			}
		}
	})
	root, _ := document(text)
	decoded := func() (*Cluster, *decoder) {
		c := &Cluster{file: "cluster.yaml", places: places{"": {1, 1}}}
		d := newDecoder(c)
		d.decode(root, reflect.ValueOf(c).Elem(), "")
		d.presets()
		return c, d
	}
	b.Run("decode", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			decoded()
		}
	})
	b.Run("complete_and_check", func(b *testing.B) {
		c, d := decoded()
		b.ReportAllocs()
		for b.Loop() {
			complete(c)
			if faults := check(c, d); len(faults) > 0 {
				b.Fatal(faults[0])
			}
		}
	})
}
