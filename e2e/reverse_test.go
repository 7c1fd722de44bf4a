package e2e

import (
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
)

// speaker is a node in this process that says in its headers what a request asks
// for: /any/path?Location=…&Set-Cookie=….
func speaker(t *testing.T, name string) (entry string, port string) {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Node", name)
		for key, values := range r.URL.Query() {
			w.Header()[key] = values
		}
		if r.URL.Query().Has("Location") {
			w.WriteHeader(http.StatusFound)
		}
	}))
	t.Cleanup(server.Close)
	_, port, _ = net.SplitHostPort(server.Listener.Addr().String())
	return fmt.Sprintf("{name: %s, address: localhost:%s}", name, port), port
}

// told asks for a header and returns what became of it.
func (s *site) told(path, name string, values ...string) []string {
	s.t.Helper()
	resp, err := s.client(false, nil).Get(s.url(path + "?" + url.Values{name: values}.Encode()))
	if err != nil {
		s.t.Fatal(err)
	}
	_ = resp.Body.Close()
	if resp.Header.Get("X-Usher-Public") != "" {
		s.t.Errorf("X-Usher-Public: %s reaches the client", resp.Header.Get("X-Usher-Public"))
	}
	return resp.Header[name]
}

func TestWhatNodesSayOfThemselvesComesOutAsClientsSeeIt(t *testing.T) {
	a, portA := speaker(t, "a")
	b, portB := speaker(t, "b")
	s := newSite(t, 0, file{
		pool:   "balance: round_robin\nreverse: {hosts: [is.internal, 'other.internal:8443']}",
		nodes:  []string{a, b},
		routes: []string{"{path: /app, pool: identity, rewrite: /inner}", "{path: /deep/, pool: identity, rewrite: /x/}"},
	})
	public := fmt.Sprintf("https://localhost:%d", s.port)
	for _, c := range []struct{ path, says, want string }{
		{"/", "http://localhost:" + portA + "/login", public + "/login"},
		{"/", "https://LOCALHOST:" + portB + "/login?a=b#c", public + "/login?a=b#c"}, // a sibling, another scheme and case
		{"/", "http://127.0.0.1:" + portA + "/", public + "/"},
		{"/", "HTTP://localhost:" + portA, public + "/"},
		{"/", "http://localhost:" + portA + "?q", public + "/?q"},
		{"/", "http://is.internal:" + portB + "/x", public + "/x"},
		{"/", "https://other.internal:8443/x", public + "/x"},
		{"/", "https://other.internal/x", "https://other.internal/x"},
		{"/", "http://localhost:1/x", "http://localhost:1/x"},
		{"/", "http://example.org/x", "http://example.org/x"},
		{"/", "/relative", "/relative"},
		{"/", "relative", "relative"},
		{"/", "//localhost:" + portA + "/x", "//localhost:" + portA + "/x"},
		{"/app/x", "http://localhost:" + portA + "/inner/y", public + "/app/y"},
		{"/app/x", "http://localhost:" + portA + "/inner", public + "/app"},
		{"/app/x", "http://localhost:" + portA + "/innermost", public + "/innermost"},
		{"/deep/x", "http://localhost:" + portA + "/x/y", public + "/deep/y"},
	} {
		for _, name := range []string{"Location", "Content-Location", "Uri", "Destination"} {
			if got := s.told(c.path, name, c.says); len(got) != 1 || got[0] != c.want {
				t.Errorf("%s: %s %s comes out as %v, want %s", c.path, name, c.says, got, c.want)
			}
		}
	}
}

func TestCookiesComeOutWithThePathAndDomainThatClientsKnow(t *testing.T) {
	a, _ := speaker(t, "a")
	s := newSite(t, 0, file{
		pool:  "balance: round_robin\nreverse: {cookie_path: [{from: /inner, to: /app}, {from: /x, to: /}], cookie_domain: [{from: .internal, to: .example.org}, {from: node, to: www.example.org}]}",
		nodes: []string{a},
	})
	says := []string{"A=1; Path=/inner", "B=2; path=/inner/deeper; HttpOnly", "C=3; Path=/other; Domain=.Internal", "D=4;domain=node1.internal;path=/x", "E=5", "F=path=/inner"}
	want := []string{"A=1; Path=/app", "B=2; path=/app; HttpOnly", "C=3; Path=/other; Domain=.example.org", "D=4;domain=www.example.org;path=/", "E=5", "F=path=/inner"}
	if got := s.told("/", "Set-Cookie", says...); !slices.Equal(got, want) {
		t.Errorf("cookies %q,\nwant %q", got, want)
	}
}

func TestTheBalancersOwnCookieIsForEveryPathWhateverOthersAreMappedTo(t *testing.T) {
	a, _ := speaker(t, "a")
	swaps := "\nreverse: {cookie_path: [{from: /, to: /app}], cookie_domain: [{from: example, to: www.example.org}]}"
	for own, want := range map[string]string{
		"sticky: {route_cookie: {name: ROUTEID, domain: example.org}}": "ROUTEID=.a; Path=/; HttpOnly; Domain=example.org; Secure; SameSite=Lax",
		"sticky: {cookie: LB}": "LB=",
	} {
		s := newSite(t, 0, file{pool: own + swaps, nodes: []string{a}})
		got := s.told("/", "Set-Cookie", "A=1; Path=/")
		if len(got) != 2 || got[0] != "A=1; Path=/app" || !strings.HasPrefix(got[1], want) || !strings.Contains(strings.ToLower(got[1]), "path=/;") {
			t.Errorf("%s: cookies %q", own, got)
		}
		s.end()
	}
}

func TestAnAnswerThatNamesANodeAllTheSameIsCountedAndLogged(t *testing.T) {
	a, port := speaker(t, "a")
	s := newSite(t, 0, file{pool: "balance: round_robin\nreverse: {}", nodes: []string{a}})
	s.told("/", "Location", "http://localhost:"+port+"/x")
	s.told("/", "Link", "<https://example.org/>; rel=next, </x>; rel=prev")
	if n := s.metric(`usher_leaks_total{header="link",node="a"}`) + s.metric(`usher_leaks_total{header="location",node="a"}`); n != 0 {
		t.Errorf("%v leaks are counted where there are none", n)
	}
	s.told("/", "Link", "<http://localhost:"+port+"/x>; rel=next")
	s.told("/", "Refresh", "0; url=http://localhost:"+port+"/x")
	s.told("/", "Set-Cookie", "A=1; Domain=127.0.0.1")
	for _, header := range []string{"link", "refresh", "set-cookie"} {
		if n := s.metric(fmt.Sprintf("usher_leaks_total{header=%q,node=\"a\"}", header)); n != 1 {
			t.Errorf("%v leaks by %s are counted, want 1", n, header)
		}
	}
	until(t, patience, "the line of the log", func() bool {
		return strings.Contains(s.usher.output(), "an answer of pool identity names a node: link has localhost:"+port)
	})
}

func TestBehindATrustedProxyAnswersNameWhatItsClientsSee(t *testing.T) {
	a, port := speaker(t, "a")
	s := newSite(t, 0, file{listener: "trusted_proxies: [127.0.0.0/8]", pool: "balance: round_robin\nreverse: {}\nhost: node", nodes: []string{a}})
	req, _ := http.NewRequest(http.MethodGet, s.url("/?"+url.Values{"Location": {"http://localhost:" + port + "/x"}}.Encode()), nil)
	req.Header.Set("X-Forwarded-Host", "www.example.org")
	req.Header.Set("X-Forwarded-Proto", "http")
	resp, err := s.client(false, nil).Do(req)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	if got := resp.Header.Get("Location"); got != "http://www.example.org/x" {
		t.Errorf("Location %q", got)
	}
}
