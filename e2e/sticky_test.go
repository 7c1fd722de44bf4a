package e2e

import (
	"context"
	"math"
	"net/http"
	"strings"
	"testing"
	"time"
)

func TestEverySessionStaysOnItsNode(t *testing.T) {
	s := newSite(t, 2, file{})
	for _, u := range []*users{
		{s: s, pause: 20 * time.Millisecond},
		{s: s, pause: 20 * time.Millisecond, http2: true},
		{s: s, pause: 20 * time.Millisecond, fresh: true},
		{s: s, pause: 20 * time.Millisecond, fresh: true, http2: true},
	} {
		u.begin(50)
		u.rounds(context.Background(), 20)
		u.mustNotFail(t)
		if w := u.wrong(); w > 0 {
			t.Errorf("http2 %t, fresh %t: %d of %d requests on a wrong node", u.http2, u.fresh, w, u.requests.Load())
		}
	}
}

func TestNewSessionsShareByWeight(t *testing.T) {
	// A busy machine makes handshakes slow: that moves nobody here.
	fewAndThousands(t, 2, file{pool: stickyPool + ", connect_timeout: 10s, health: {tcp: false}"}, func(t *testing.T, s *site) {
		shares := func(want float64) {
			t.Helper()
			u := (&users{s: s}).begin(400)
			if got := float64(u.on("isNode2")) / 400; math.Abs(got-want) > 0.05 {
				t.Errorf("isNode2 got %.3f of the new sessions, want %.2f", got, want)
			}
		}
		shares(0.5)
		s.change("a weight of 3", func(f *file) { f.weight = map[string]string{"isNode2": "3"} })
		shares(0.75)
		s.change("fractions", func(f *file) { f.weight = map[string]string{"isNode1": "0.5", "isNode2": "0.33"} })
		shares(0.33 / 0.83)
	})
}

// ask sends one request with a client of its own and returns the node.
func (s *site) ask(path, cookie string) (node string, resp *http.Response) {
	s.t.Helper()
	req, err := http.NewRequest(http.MethodGet, s.url(path), nil)
	if err != nil {
		s.t.Fatal(err)
	}
	if cookie != "" {
		req.Header.Set("Cookie", cookie)
	}
	resp, err = s.client(false, nil).Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	_ = resp.Body.Close()
	return resp.Header.Get("X-Node"), resp
}

// always asks ten times and wants the same node each time.
func (s *site) always(want, path, cookie string) {
	s.t.Helper()
	for range 10 {
		if got, _ := s.ask(path, cookie); got != want {
			s.t.Errorf("%s with %q: node %q, want %q", path, cookie, got, want)
			return
		}
	}
}

// anyOf asks forty times and wants all of these nodes, and no other.
func (s *site) anyOf(path, cookie string, want ...string) {
	s.t.Helper()
	got := map[string]bool{}
	for range 40 {
		node, _ := s.ask(path, cookie)
		got[node] = true
	}
	if len(got) != len(want) {
		s.t.Errorf("%s with %q: nodes %v, want %v", path, cookie, got, want)
	}
	for _, w := range want {
		if !got[w] {
			s.t.Errorf("%s with %q: nodes %v, want %v", path, cookie, got, want)
		}
	}
}

func TestTheNameBehindTheFirstDotDecides(t *testing.T) {
	fewAndThousands(t, 2, file{}, func(t *testing.T, s *site) {
		s.always("isNode2", "/", "JSESSIONID=ABC.isNode2")
		s.always("isNode2", "/", "a=b.isNode1; JSESSIONID=x.isNode2")
		s.always("isNode1", "/x;jsessionid=ABC.isNode1", "JSESSIONID=ABC.isNode2")
		s.always("isNode1", "/x;jsessionid=ABC.isNode1/y?z=;jsessionid=ABC.isNode2", "")
		s.anyOf("/", "", "isNode1", "isNode2")
		s.anyOf("/", "JSESSIONID=ABC", "isNode1", "isNode2")
		s.anyOf("/", "JSESSIONID=ABC.isNode9", "isNode1", "isNode2")
		s.anyOf("/", "JSESSIONID=ABC.isnode1", "isNode1", "isNode2")
		s.anyOf("/", "JSESSIONID=ABC.x.isNode1", "isNode1", "isNode2")
		s.anyOf("/?q=;jsessionid=ABC.isNode1", "", "isNode1", "isNode2")
	})
}

func TestACookieInASecondHeaderCounts(t *testing.T) {
	fewAndThousands(t, 2, file{}, func(t *testing.T, s *site) {
		client := s.client(true, nil)
		for _, cookies := range [][]string{{"a=1", "JSESSIONID=ABC.isNode2"}, {"JSESSIONID=ABC.isNode2", "b=2"}} {
			for range 10 {
				req, _ := http.NewRequest(http.MethodGet, s.url("/"), nil)
				req.Header["Cookie"] = cookies
				resp, err := client.Do(req)
				if err != nil {
					t.Fatal(err)
				}
				_ = resp.Body.Close()
				if node := resp.Header.Get("X-Node"); node != "isNode2" || resp.ProtoMajor != 2 {
					t.Fatalf("node %q over %s", node, resp.Proto)
				}
			}
		}
	})
}

func TestTheFourStatesOfANode(t *testing.T) {
	fewAndThousands(t, 3, file{}, func(t *testing.T, s *site) {
		state := func(node, to string) {
			s.change(node+" "+to, func(f *file) { f.state = map[string]string{node: to} })
		}
		state("isNode2", "drain")
		s.always("isNode2", "/", "JSESSIONID=ABC.isNode2")
		s.anyOf("/", "", "isNode1", "isNode3")

		state("isNode2", "disabled")
		s.anyOf("/", "JSESSIONID=ABC.isNode2", "isNode1", "isNode3")

		state("isNode2", "standby")
		s.anyOf("/", "", "isNode1", "isNode3")
		s.anyOf("/", "JSESSIONID=ABC.@standby", "isNode1", "isNode3")
		s.anyOf("/;jsessionid=ABC.@standby", "", "isNode1", "isNode3")
		s.always("isNode2", "/", "JSESSIONID=ABC.isNode2")

		s.nodes[0].kill()
		s.nodes[2].kill()
		s.always("isNode2", "/", "")
		s.nodes[0].again(t)
		until(t, patience, "isNode1 to serve again", func() bool { node, _ := s.ask("/", "JSESSIONID=ABC.isNode1"); return node == "isNode1" })
		s.always("isNode1", "/", "")
	})
}

func TestStatesWithoutSessions(t *testing.T) {
	s := newSite(t, 3, file{pool: "balance: least_request, tls: {verify: none}"})
	s.anyOf("/", "", "isNode1", "isNode2", "isNode3")
	s.change("drain and standby", func(f *file) { f.state = map[string]string{"isNode1": "drain", "isNode3": "standby"} })
	s.always("isNode2", "/", "")
	s.nodes[1].kill()
	until(t, patience, "the standby to serve", func() bool { node, _ := s.ask("/", ""); return node == "isNode3" })
	s.always("isNode3", "/", "")
}

func TestWhatIsDeniedStaysDenied(t *testing.T) {
	s := newSite(t, 1, file{routes: []string{"{path: /balancer-manager, deny: true}", "{path: /carbon/admin, deny: true}", "{path: /café, deny: true}", "{path: /$x, deny: true}", "{path: '/a|b', deny: true}"}})
	for path, want := range map[string]int{
		"/balancer-manager": 404, "/balancer-manager/": 404, "/balancer-manager/x": 404, "/balancer-manager?x": 404,
		"/balancer-manager;x": 404, "/balancer-manager;x=y/z": 404, "//balancer-manager": 404, "/a/../balancer-manager": 404,
		"/a/..;/balancer-manager": 404, "/%62alancer-manager": 404, "/carbon;x/admin;y/z": 404,
		"/;/balancer-manager": 404, "/;a=b/balancer-manager/x": 404, "/carbon/;/admin": 404, "/;jsessionid=x": 200,
		"/caf%C3%A9": 404, "/caf%c3%a9;x/y": 404, "/$x": 404, "/%24x": 404, "/a%7cb": 404, "/a%7Cb/": 404, "/$": 200, "/caf%C3": 200,
		"/balancer-managerx": 200, "/x/balancer-manager": 200, "/carbonx": 200,
	} {
		if _, resp := s.ask(path, ""); resp.StatusCode != want {
			t.Errorf("%s: %d, want %d", path, resp.StatusCode, want)
		}
	}
	if _, resp := s.ask("/x%2fy", ""); resp.StatusCode != 404 {
		t.Errorf("an escaped slash: %d", resp.StatusCode)
	}
	req, _ := http.NewRequest(http.MethodGet, s.url("/"), nil)
	req.Host = "elsewhere.example.org"
	resp, err := s.client(false, nil).Do(req)
	if err != nil || resp.StatusCode != 404 {
		t.Errorf("an unknown host: %v %v", resp, err)
	}
}

func TestAStrangerCannotForgeWhereHeComesFrom(t *testing.T) {
	s := newSite(t, 1, file{})
	req, _ := http.NewRequest(http.MethodGet, s.url("/headers"), nil)
	for _, h := range []string{"X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Host", "X-Forwarded-Port", "X-Forwarded-Server", "X-Envoy-Retry-On", "X-Envoy-Upstream-Rq-Timeout-Ms"} {
		req.Header.Set(h, "forged")
	}
	resp, err := s.client(false, nil).Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close() //nolint:errcheck // read only
	var b strings.Builder
	buf := make([]byte, 8192)
	n, _ := resp.Body.Read(buf)
	b.Write(buf[:n])
	if strings.Contains(b.String(), "forged") {
		t.Errorf("reached the node: %s", b.String())
	}
	for _, want := range []string{`"X-Forwarded-Proto":["https"]`, `"X-Forwarded-Host":["localhost:`, `"X-Forwarded-Port":["`, `"X-Forwarded-For":["`} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("%s is missing: %s", want, b.String())
		}
	}
}
