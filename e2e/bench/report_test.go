package main

import (
	"slices"
	"strings"
	"testing"
	"time"
)

func samples(cpu ...float64) (all []sample) {
	for _, c := range cpu {
		all = append(all, sample{CPU: c})
	}
	return all
}

func TestTheMiddleOfTheRoundsCounts(t *testing.T) {
	for _, c := range []struct{ of, mid, spread float64 }{{3, 20, 1}, {4, 25, 1.2}} {
		mid, spread := median(samples([]float64{30, 10, 20, 40}[:int(c.of)]...), cpu)
		if mid != c.mid || spread != c.spread {
			t.Errorf("%v rounds: %v, %v apart", c.of, mid, spread)
		}
	}
}

func TestARoundIsComparedWithinItself(t *testing.T) {
	if got := ratio(samples(20, 60, 33), samples(10, 40, 30)); got != 1.5 {
		t.Errorf("the ratio is %v", got)
	}
	if got := ratio(samples(20), nil); got != 0 {
		t.Errorf("the ratio to nothing is %v", got)
	}
}

func TestOfManyTimesOneIsAtTheQuantile(t *testing.T) {
	var all []time.Duration
	for i := range 100 {
		all = append(all, time.Duration(i))
	}
	if quantile(all, 0.5) != 50 || quantile(all, 0.99) != 99 || quantile(nil, 0.5) != 0 {
		t.Error(quantile(all, 0.5), quantile(all, 0.99))
	}
}

func TestANoisyMachineIsCalledSo(t *testing.T) {
	r := &report{results: map[string]map[string][]sample{"calm": {lean: samples(10, 10.1)}, "spread": {lean: samples(10, 12)}}}
	if why := r.noise("calm"); why != nil {
		t.Errorf("calm: %v", why)
	}
	if why := r.noise("spread"); len(why) != 1 || !strings.Contains(why[0], "apart") {
		t.Errorf("spread: %v", why)
	}
	shared := samples(10)
	shared[0].Foreign, shared[0].Stolen = 0.5, 0.1
	r = &report{balancers: []*running{{contestant: contestant{Name: "x"}}}, results: map[string]map[string][]sample{"shared": {"x": shared}}}
	if why := r.noise("shared"); len(why) != 2 {
		t.Errorf("shared: %v", why)
	}
}

func TestSessionsAreThoseOfTheNodes(t *testing.T) {
	nodes := []node{{Name: "a"}, {Name: "b"}}
	got := []string{sessionOf(0, nodes).node, sessionOf(1, nodes).node, sessionOf(2, nodes).node}
	if !slices.Equal(got, []string{"a", "b", "a"}) || !strings.HasSuffix(sessionOf(1, nodes).id, ".b") {
		t.Error(got, sessionOf(1, nodes).id)
	}
}
