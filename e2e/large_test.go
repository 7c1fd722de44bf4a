package e2e

import (
	"fmt"
	"testing"
	"time"
)

func TestAPoolGrowsAndShrinksUnderItsSessions(t *testing.T) {
	s := newSite(t, 3, file{})
	u := (&users{s: s, pause: 20 * time.Millisecond}).begin(30)
	u.during(func() {
		for _, others := range []int{10, 200, 600, 1200, 600, 200, 0} {
			s.change(fmt.Sprint(others, " more"), func(f *file) { f.others = others })
			time.Sleep(300 * time.Millisecond)
		}
	})
	u.mustNotFail(t)
	if w := u.wrong(); w > 0 {
		t.Errorf("%d of %d requests on a wrong node", w, u.requests.Load())
	}
}

func TestOfALargePoolOnlyEndpointsChangeWithStatesAndWeights(t *testing.T) {
	atSize(t, "thousands", 2, file{}, func(t *testing.T, s *site) {
		before, _ := s.status()
		s.change("a weight and a state", func(f *file) {
			f.weight, f.state = map[string]string{"isNode1": "3"}, map[string]string{"isNode2": "drain"}
		})
		after, _ := s.status()
		for kind, version := range after.Published {
			if changed := version != before.Published[kind]; changed != (kind == "endpoints") {
				t.Errorf("%s changed: %v", kind, changed)
			}
		}
		s.nodes = append(s.nodes, startStub(t, "isNode3"))
		s.change("a node joins", func(*file) {})
		s.always("isNode3", "/", "JSESSIONID=A.isNode3")
		s.change("a node goes", func(f *file) { f.state = map[string]string{"isNode1": "disabled"} })
		s.anyOf("/", "JSESSIONID=A.isNode1", "isNode2", "isNode3")
	})
}

// What is tried again goes elsewhere: Envoy asks for a node by address once.
func TestOfALargePoolARequestThatItsNodeResetsGoesElsewhere(t *testing.T) {
	for size, stays := range map[string]bool{"few": true, "many": true, "hundreds": true, "thousands": false} {
		atSize(t, size, 2, file{pool: stickyPool + ", health: {passive: 0}"}, func(t *testing.T, s *site) {
			before := s.nodes[0].requests(t)
			s.ask("/reset", "JSESSIONID=A.isNode1")
			if n := s.nodes[0].requests(t) - before - 1; (n > 1) != stays {
				t.Errorf("its own node was asked %d times", n)
			}
			s.always("isNode1", "/", "JSESSIONID=A.isNode1")
		})
	}
}
