package e2e

import (
	"context"
	"net/http"
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
