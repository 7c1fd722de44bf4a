package e2e

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"testing"
)

const ringPool = "sticky: {cookie: {name: ROUTE}}, tls: {verify: none}"

// holder is a client with the balancer's cookies.
type holder struct {
	cookies map[string]string
	node    string
}

func (s *site) visit(client *http.Client, h *holder) string {
	s.t.Helper()
	req, err := http.NewRequestWithContext(context.Background(), http.MethodGet, s.url("/"), nil)
	if err != nil {
		s.t.Fatal(err)
	}
	for name, value := range h.cookies {
		req.Header.Add("Cookie", name+"="+value)
	}
	resp, err := client.Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	_ = resp.Body.Close()
	for _, c := range resp.Cookies() {
		if c.Name != "JSESSIONID" {
			h.cookies[c.Name] = c.Value
		}
	}
	h.node = resp.Header.Get("X-Node")
	return h.node
}

func (s *site) holders(client *http.Client, n int) []*holder {
	all := make([]*holder, n)
	for i := range all {
		all[i] = &holder{cookies: map[string]string{}}
		s.visit(client, all[i])
	}
	return all
}

// stay counts the holders that another node answers now.
func (s *site) moved(client *http.Client, all []*holder) (moved int) {
	for _, h := range all {
		if before := h.node; s.visit(client, h) != before {
			moved++
		}
	}
	return moved
}

func TestACookieOfTheBalancerSticksFromTheFirstAnswerOn(t *testing.T) {
	for _, balance := range []string{"ring_hash", "maglev"} {
		t.Run(balance, func(t *testing.T) {
			s := newSite(t, 3, file{pool: ringPool + ", balance: " + balance})
			client := s.client(false, nil)
			all := s.holders(client, 300)
			for range 3 {
				if n := s.moved(client, all); n > 0 {
					t.Fatalf("%d of 300 clients moved", n)
				}
			}
			fourth := startStub(t, "isNode4")
			s.nodes = append(s.nodes, fourth)
			s.change("a fourth node", func(*file) {})
			moved := s.moved(client, all)
			t.Logf("%d of 300 clients moved when a fourth node joined", moved)
			if moved == 0 || float64(moved)/300 > 0.25+0.10 {
				t.Errorf("%d of 300 clients moved when a fourth node joined; a quarter is right", moved)
			}
		})
	}
}

func TestANodeDrainsAlsoWhereTheBalancerMakesTheCookie(t *testing.T) {
	s := newSite(t, 3, file{pool: ringPool})
	client := s.client(false, nil)
	all := s.holders(client, 150)
	s.change("drain", func(f *file) { f.state = map[string]string{"isNode2": "drain"} })
	if n := s.moved(client, all); n > 0 {
		t.Errorf("%d clients moved when a node began to drain", n)
	}
	fresh := s.holders(client, 150)
	for _, h := range fresh {
		if h.node == "isNode2" {
			t.Fatal("a new client came to a draining node")
		}
	}
	if n := s.moved(client, fresh); n > 0 {
		t.Errorf("%d of the new clients moved at their second request", n)
	}
	s.change("disabled", func(f *file) { f.state = map[string]string{"isNode2": "disabled"} })
	stayed := append(all, fresh...)
	for _, h := range stayed {
		if before := h.node; s.visit(client, h) != before && before != "isNode2" {
			t.Errorf("a client of %s moved when isNode2 was disabled", before)
			return
		}
	}
}

// drains saves the states of the nodes.
func (s *site) drains(what string, states map[string]string) {
	s.t.Helper()
	s.change(what, func(f *file) { f.state = states })
}

// stay demands that nobody moved but the clients of a node that is gone.
func (s *site) stay(client *http.Client, when, gone string, all []*holder) {
	s.t.Helper()
	moved := map[string]int{}
	for _, h := range all {
		if before := h.node; s.visit(client, h) != before && before != gone {
			moved[before+" to "+h.node]++
		}
	}
	if len(moved) > 0 {
		s.t.Errorf("%s: of %d clients these moved: %v", when, len(all), moved)
	}
}

// newcomers are clients that come now, to none of these nodes.
func (s *site) newcomers(client *http.Client, when string, closed ...string) []*holder {
	s.t.Helper()
	all := s.holders(client, 120)
	for _, h := range all {
		if slices.Contains(closed, h.node) {
			s.t.Fatalf("%s: a new client came to %s, which drains", when, h.node)
		}
	}
	s.stay(client, when+", at their second request", "", all)
	return all
}

func TestDrainsMayOverlapWhereTheBalancerMakesTheCookie(t *testing.T) {
	const gone = "isNode2"
	s := newSite(t, 4, file{pool: ringPool})
	client := s.client(false, nil)
	all := s.newcomers(client, "before")
	s.drains("the first drain", map[string]string{gone: "drain"})
	s.stay(client, "at the first drain", "", all)
	all = append(all, s.newcomers(client, "in the first drain", gone)...)
	s.drains("the second drain", map[string]string{gone: "drain", "isNode3": "drain"})
	s.stay(client, "at the second drain", "", all)
	both := s.newcomers(client, "in both drains", gone, "isNode3")
	all = append(all, both...)
	s.drains("the end of the first", map[string]string{gone: "disabled", "isNode3": "drain"})
	s.stay(client, "at the end of the first drain", gone, all)
	all = append(all, s.newcomers(client, "in the second drain", gone, "isNode3")...)
	for _, h := range both {
		if mark := h.cookies["ROUTE-drain"]; len(mark) != 8 {
			t.Fatalf("the mark %q still names the node whose drain has ended", mark)
		}
	}
	s.drains("the end of the second", map[string]string{gone: "disabled", "isNode3": "disabled"})
	s.stay(client, "at the end of the second drain", "isNode3", all)
}

func TestANodesDeathMovesItsOwnClientsAlone(t *testing.T) {
	// Maglev moves some of the others by design: up to 3 of 200 were seen.
	for balance, rest := range map[string]int{"ring_hash": 0, "maglev": 12} {
		t.Run(balance, func(t *testing.T) {
			s := newSite(t, 3, file{pool: ringPool + ", balance: " + balance, weight: map[string]string{"isNode3": "0.33"}})
			client := s.client(false, nil)
			all := s.holders(client, 400)
			home := map[*holder]string{}
			for _, h := range all {
				home[h] = h.node
			}
			s.nodes[1].kill()
			s.healthy(2)
			elsewhere, others := s.elsewhere(client, all, home, "isNode2")
			t.Logf("isNode2 is dead: %d of %d clients of other nodes are elsewhere", elsewhere, others)
			if elsewhere > rest {
				t.Errorf("a node's death moved %d of %d clients of the others, at most %d may", elsewhere, others, rest)
			}
			s.nodes[1].again(t)
			s.healthy(3)
			if elsewhere, _ := s.elsewhere(client, all, home, ""); elsewhere > 0 {
				t.Errorf("%d of %d clients are elsewhere after the node has come back", elsewhere, len(all))
			}
		})
	}
}

// healthy waits until Envoy counts so many healthy nodes.
func (s *site) healthy(n int) {
	s.t.Helper()
	until(s.t, patience, fmt.Sprintf("%d nodes to be healthy", n), func() bool {
		return s.stat("cluster.identity.membership_healthy") == n
	})
}

// elsewhere counts the clients that are not at home, of all but the dead node's.
func (s *site) elsewhere(client *http.Client, all []*holder, home map[*holder]string, dead string) (away, others int) {
	for _, h := range all {
		node := s.visit(client, h)
		if home[h] == dead {
			continue
		}
		others++
		if node != home[h] {
			away++
		}
	}
	return away, others
}
