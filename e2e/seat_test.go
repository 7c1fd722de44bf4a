package e2e

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
)

// Nodes are found in different ways, by how many there are; what clients see is the
// same.
var sizes = map[string]int{"few": 0, "many": 10, "hundreds": 600, "thousands": 1200}

func fewAndMany(t *testing.T, n int, f file, promise func(t *testing.T, s *site)) {
	for _, size := range []string{"few", "many", "thousands"} {
		atSize(t, size, n, f, promise)
	}
}

// fewAndThousands is for promises that take longer to try.
func fewAndThousands(t *testing.T, n int, f file, promise func(t *testing.T, s *site)) {
	for _, size := range []string{"few", "thousands"} {
		atSize(t, size, n, f, promise)
	}
}

func atSize(t *testing.T, size string, n int, f file, promise func(t *testing.T, s *site)) {
	t.Run(size, func(t *testing.T) {
		f.others = sizes[size]
		promise(t, newSite(t, n, f))
	})
}

const twoWays = "sticky: [{jvm_route: JSESSIONID}, {route_cookie: {name: ROUTEID, same_site: none}}]\ntls: {verify: none}"

func TestOfSeveralCookiesOneThatNamesANodeWins(t *testing.T) {
	fewAndMany(t, 3, file{}, func(t *testing.T, s *site) {
		s.always("isNode2", "/", "JSESSIONID=A.isNode9; JSESSIONID=B.isNode2")
		s.always("isNode2", "/", "JSESSIONID=A; x=y; JSESSIONID=B.isNode2")
		s.always("isNode3", "/", "JSESSIONID=A.isNode3; JSESSIONID=B.isNode2")
		s.anyOf("/", "JSESSIONID=A.isNode9; JSESSIONID=B.isNode8", "isNode1", "isNode2", "isNode3")
		s.anyOf("/", "XJSESSIONID=A.isNode2; YJSESSIONID=B.isNode2", "isNode1", "isNode2", "isNode3")
		s.change("isNode3 disabled", func(f *file) { f.state = map[string]string{"isNode3": "disabled"} })
		s.always("isNode2", "/", "JSESSIONID=A.isNode3; JSESSIONID=B.isNode2")
		if got := s.metric(`usher_cookie_conflicts_total{pool="identity"}`); got < 30 {
			t.Errorf("%v conflicts are counted", got)
		}
	})
}

func TestTheWaysOfAListCountInItsOrder(t *testing.T) {
	fewAndMany(t, 3, file{pool: twoWays}, func(t *testing.T, s *site) {
		s.always("isNode1", "/x;jsessionid=A.isNode1", "JSESSIONID=A.isNode2; ROUTEID=.isNode3")
		s.always("isNode2", "/", "JSESSIONID=A.isNode2; ROUTEID=.isNode3")
		s.always("isNode3", "/", "JSESSIONID=A.gone; ROUTEID=.isNode3")
		s.always("isNode3", "/", "ROUTEID=.isNode3")
		s.always("isNode2", "/x;jsessionid=A.gone", "JSESSIONID=A.isNode2")
	})
}

// routeCookie is what an answer sets ROUTEID to, "" for nothing.
func routeCookie(resp *http.Response) *http.Cookie {
	for _, c := range resp.Cookies() {
		if c.Name == "ROUTEID" {
			return c
		}
	}
	return nil
}

func TestTheBalancersCookieNamesTheNodeAndIsSetWhenThatChanges(t *testing.T) {
	fewAndMany(t, 3, file{pool: twoWays}, func(t *testing.T, s *site) {
		node, resp := s.ask("/", "")
		c := routeCookie(resp)
		if c == nil || c.Value != "."+node || c.Path != "/" || !c.Secure || !c.HttpOnly || c.SameSite != http.SameSiteNoneMode {
			t.Fatalf("node %s sets %v", node, c)
		}
		for _, same := range []string{"ROUTEID=.isNode2", "JSESSIONID=A.isNode2; ROUTEID=.isNode2", "JSESSIONID=A.isNode9; ROUTEID=.isNode2"} {
			if node, resp := s.ask("/", same); node != "isNode2" || routeCookie(resp) != nil {
				t.Errorf("%s: node %s, sets %v", same, node, routeCookie(resp))
			}
		}
		for _, other := range []string{"JSESSIONID=A.isNode2", "JSESSIONID=A.isNode2; ROUTEID=.isNode1", "JSESSIONID=A.isNode9; JSESSIONID=B.isNode2", "ROUTEID=.isNode9; JSESSIONID=A.isNode2"} {
			node, resp := s.ask("/", other)
			if c := routeCookie(resp); node != "isNode2" || c == nil || c.Value != ".isNode2" {
				t.Errorf("%s: node %s, sets %v", other, node, c)
			}
		}
		s.nodes[1].kill()
		node, resp = s.ask("/", "ROUTEID=.isNode2; JSESSIONID=A.isNode2")
		if c := routeCookie(resp); node == "isNode2" || c == nil || c.Value != "."+node {
			t.Errorf("its node is dead: node %s, sets %v", node, c)
		}
	})
}

func TestASeparatorOfItsOwnOrNone(t *testing.T) {
	fewAndMany(t, 2, file{pool: "sticky: [{jvm_route: SID, separator: '!', path_parameter: sid}, {jvm_route: WHOLE, separator: off, path_parameter: off}]\ntls: {verify: none}"}, func(t *testing.T, s *site) {
		s.always("isNode2", "/", "SID=a.isNode1!isNode2")
		s.always("isNode2", "/x;sid=a!isNode2?y", "SID=a!isNode1")
		s.always("isNode1", "/", "WHOLE=isNode1")
		s.anyOf("/", "SID=a.isNode2", "isNode1", "isNode2")
		s.anyOf("/", "SID=a!isNode2!x", "isNode1", "isNode2")
		s.anyOf("/;WHOLE=isNode1", "", "isNode1", "isNode2")
		s.anyOf("/", "WHOLE=x.isNode1", "isNode1", "isNode2")
	})
}

func TestAPathMayBeUnstickyOrStrict(t *testing.T) {
	fewAndMany(t, 2, file{routes: []string{
		"{path: /machines, pool: identity, sticky: false, balance: least_request}",
		"{path: /strict, pool: identity, on_failure: error}",
	}}, func(t *testing.T, s *site) {
		s.anyOf("/machines", "JSESSIONID=A.isNode2", "isNode1", "isNode2")
		s.always("isNode2", "/strict", "JSESSIONID=A.isNode2")
		s.nodes[1].kill()
		for path, want := range map[string]int{"/strict": 503, "/strict;jsessionid=A.isNode2": 503, "/": 200} {
			_, resp := s.ask(path, "JSESSIONID=A.isNode2")
			if resp.StatusCode != want {
				t.Errorf("%s of a dead node's session: %d, want %d", path, resp.StatusCode, want)
			}
		}
		if _, resp := s.ask("/strict", "JSESSIONID=A.isNode9; JSESSIONID=B.isNode2"); resp.StatusCode != 503 {
			t.Errorf("of two cookies one names the dead node: %d", resp.StatusCode)
		}
		s.always("isNode1", "/strict", "JSESSIONID=A.isNode9")
		s.always("isNode1", "/strict", "")
	})
}

func TestANodesSessionsGoToTheOneItRedirectsTo(t *testing.T) {
	redirects := map[string]string{"isNode1": "redirect: isNode2", "isNode2": "redirect: isNode3"}
	fewAndMany(t, 4, file{keys: redirects}, func(t *testing.T, s *site) {
		s.always("isNode1", "/", "JSESSIONID=A.isNode1")
		s.change("isNode1 disabled", func(f *file) { f.state = map[string]string{"isNode1": "disabled"} })
		for path, cookie := range map[string]string{"/": "JSESSIONID=A.isNode1", "/x;jsessionid=A.isNode1": "", "/y": "JSESSIONID=A; JSESSIONID=B.isNode1"} {
			s.always("isNode2", path, cookie)
		}
		s.nodes[1].kill()
		s.always("isNode3", "/", "JSESSIONID=A.isNode1")
		s.always("isNode3", "/", "JSESSIONID=A.isNode2")
		s.nodes[2].kill()
		s.always("isNode4", "/", "JSESSIONID=A.isNode1")
	})
}

func TestEnvoysOwnSessionKeepsItsNode(t *testing.T) {
	s := newSite(t, 3, file{pool: "sticky: {stateful_session: {name: STATE, ttl: 1h}}\ntls: {verify: none}"})
	node, resp := s.ask("/", "")
	var cookie *http.Cookie
	for _, c := range resp.Cookies() {
		if c.Name == "STATE" {
			cookie = c
		}
	}
	if cookie == nil || !cookie.HttpOnly || !cookie.Secure || cookie.MaxAge != 3600 {
		t.Fatalf("cookie %v", cookie)
	}
	s.always(node, "/", "STATE="+cookie.Value)
	s.change("it drains", func(f *file) { f.state = map[string]string{node: "drain"} })
	s.always(node, "/", "STATE="+cookie.Value)
	for range 20 {
		if got, _ := s.ask("/", ""); got == node {
			t.Fatal("a new client came to a draining node")
		}
	}
}

func TestHashingByHeaderQueryAndAddress(t *testing.T) {
	s := newSite(t, 3, file{pool: "sticky: [{header: X-User}, {query: user}, {source_ip: true}]\ntls: {verify: none}"})
	ask := func(header, query string) string {
		req, _ := http.NewRequest(http.MethodGet, s.url("/?"+query), nil)
		if header != "" {
			req.Header.Set("X-User", header)
		}
		resp, err := s.client(false, nil).Do(req)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		return resp.Header.Get("X-Node")
	}
	byHeader, byQuery := map[string]bool{}, map[string]bool{}
	for i := range 30 {
		user := fmt.Sprint("user", i)
		h, q := ask(user, ""), ask("", "user="+user)
		byHeader[h], byQuery[q] = true, true
		if ask(user, "user=other") != h || ask("", "user="+user) != q {
			t.Fatalf("%s moved", user)
		}
	}
	if len(byHeader) < 2 || len(byQuery) < 2 {
		t.Errorf("30 users went to %v by header and to %v by query", byHeader, byQuery)
	}
	first := ask("", "")
	for range 10 {
		if got := ask("", ""); got != first {
			t.Fatalf("the same address went to %s and to %s", first, got)
		}
	}
}

func TestPlainListenersSetNoSecureCookie(t *testing.T) {
	plain := freePort(t)
	s := newSite(t, 2, file{pool: twoWays})
	s.change("a listener without TLS", func(f *file) {
		f.more = fmt.Sprintf("  - {name: plain, address: 127.0.0.1:%d, routes: [{path: /, pool: identity}]}\n", plain)
	})
	resp, err := http.Get(fmt.Sprintf("http://127.0.0.1:%d/", plain))
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	if text := strings.Join(resp.Header["Set-Cookie"], "\n"); !strings.Contains(text, "ROUTEID=.isNode") || strings.Contains(strings.Split(text, "ROUTEID")[1], "Secure") {
		t.Errorf("cookies %s", text)
	}
}
