package xds

import (
	"fmt"
	"testing"
	"time"

	"usher/model"
)

// large is a cluster of n nodes in pools of 20.
func large(n int) *model.Cluster {
	c := &model.Cluster{}
	l := model.Listener{Name: "http", Address: model.Address{Host: "127.0.0.1", Port: 8080}, Hosts: []string{"*"}}
	for i := range n / 20 {
		p := pool(fmt.Sprintf("pool%d", i), 1)
		p.Nodes = nil
		for j := range 20 {
			at := i*20 + j
			p.Nodes = append(p.Nodes, model.Node{Name: fmt.Sprintf("n%d", at), Weight: 1, State: model.Active,
				Address: model.Address{Host: fmt.Sprintf("10.%d.%d.%d", at>>16, at>>8&255, at&255), Port: 9443}})
		}
		c.Pools = append(c.Pools, p)
		l.Routes = append(l.Routes, model.Route{Path: "/" + p.Name, Pool: p.Name, Timeout: model.DefaultTimeout})
	}
	c.Listeners = []model.Listener{l}
	return c
}

func BenchmarkTranslate(b *testing.B) {
	for _, n := range []int{100, 10_000} {
		b.Run(fmt.Sprintf("%d_nodes", n), func(b *testing.B) {
			c := large(n)
			b.ReportAllocs()
			for b.Loop() {
				Translate(c, Material{})
			}
		})
	}
}

func BenchmarkPublish(b *testing.B) {
	for _, n := range []int{100, 10_000} {
		b.Run(fmt.Sprintf("%d_nodes", n), func(b *testing.B) {
			r := Translate(large(n), Material{})
			s := NewServer(func() {})
			b.ReportAllocs()
			for b.Loop() {
				s.Publish(r, time.Now())
			}
		})
	}
}
