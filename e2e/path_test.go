package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// seen is what a request looked like to a node.
type seen struct {
	Method, Path, Host string
	Header             http.Header
}

// mirror starts a node in this process that answers with what it has seen, and
// returns its entry in the file.
func mirror(t *testing.T, name string) string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Node", name)
		_ = json.NewEncoder(w).Encode(seen{r.Method, r.RequestURI, r.Host, r.Header})
	}))
	t.Cleanup(server.Close)
	return fmt.Sprintf("{name: %s, address: %s}", name, server.Listener.Addr())
}

// sees is what a node sees of a request.
func (s *site) sees(path string, header ...string) (seen, *http.Response) {
	s.t.Helper()
	req, err := http.NewRequest(http.MethodGet, s.url(path), nil)
	if err != nil {
		s.t.Fatal(err)
	}
	req.URL.Opaque, req.URL.RawQuery = strings.TrimPrefix(s.url(path), "https:"), "" // as it stands
	for i := 0; i+1 < len(header); i += 2 {
		if header[i] == "Host" {
			req.Host = header[i+1]
			continue
		}
		req.Header.Add(header[i], header[i+1])
	}
	resp, err := s.client(false, nil).Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	defer resp.Body.Close() //nolint:errcheck // read only
	var what seen
	if resp.Header.Get("X-Node") != "" {
		if err := json.NewDecoder(resp.Body).Decode(&what); err != nil {
			s.t.Fatal(err)
		}
	}
	return what, resp
}

// plainPool has no sessions and no TLS.
const plainPool = "balance: round_robin"

func TestPathsMatchInTheFilesOrder(t *testing.T) {
	s := newSite(t, 0, file{
		pool: plainPool, nodes: []string{mirror(t, "a")},
		pools: "  - {name: other, nodes: [" + mirror(t, "b") + "]}\n  - {name: third, nodes: [" + mirror(t, "c") + "]}\n",
		routes: []string{
			"{exact: /app/one, pool: third}",
			"{regex: '/app/\\d+', pool: third}",
			"{path: /t/*/app, pool: third}",
			"{path: /app/sub, pool: other}",
			"{path: /app, pool: third}",
			"{path: /slash/, pool: other}",
			"{exact: /dir/, pool: third}",
			"{path: '/a@b', deny: true}",
			"{path: '/c+d/é|f', pool: other}",
		},
	})
	for path, want := range map[string]string{
		"/app/one": "c", "/app/one;x=y": "c", "/app/12": "c", "/app/12/x": "c", "/app/sub": "b", "/app;v=1/sub/x": "b", "/app/sub;x/y": "b",
		"/app/subway": "c", "/apple": "a", "/app": "c", "/app;jsessionid=A.b": "c", "/app/": "c", "/t/x/app/y": "c", "/t/x;y=z/app": "c", "/t/app": "a", "/t/x/y/app": "a",
		"/slash": "a", "/slash/": "b", "/slash/x": "b", "/": "a", "/x/app": "a", "//app//sub": "b", "/x/../app/sub": "b", "/app?/app/sub": "c",
		"/dir/": "c", "/dir": "a", "/dir/x": "a", "/a@b/x": "", "/a%40b": "", "/c%2bd/%c3%a9%7cf": "b", "/c+d/%C3%A9|f/x": "b",
	} {
		if _, resp := s.sees(path); resp.Header.Get("X-Node") != want {
			t.Errorf("%s: node %q, status %d, want %q", path, resp.Header.Get("X-Node"), resp.StatusCode, want)
		}
	}
}

func TestTheNodeGetsARewrittenPath(t *testing.T) {
	s := newSite(t, 0, file{
		pool: plainPool, nodes: []string{mirror(t, "a")},
		routes: []string{
			"{path: /app, pool: identity, rewrite: /new}",
			"{path: /root, pool: identity, rewrite: /}",
			"{path: /deep/er, pool: identity, rewrite: /x/y/}",
			"{exact: /one, pool: identity, rewrite: /two}",
			"{regex: '/r/(\\w+)/(\\d+)', pool: identity, rewrite: '/\\2/\\1'}",
		},
	})
	for path, want := range map[string]string{
		"/app": "/new", "/app/": "/new/", "/app/x?y=z": "/new/x?y=z", "/app;s=1/x": "/new;s=1/x",
		"/root": "/", "/root/x": "/x", "/root/?q": "/?q", "/deep/er/z": "/x/y/z", "/deep;p/er/z": "/x/y/z", "/one?q": "/two?q", "/one;p=1": "/two;p=1",
		"/r/abc/12?q": "/12/abc?q", "/r/abc/x": "/r/abc/x", "/other": "/other",
	} {
		if got, resp := s.sees(path); got.Path != want {
			t.Errorf("%s: the node sees %q (status %d), want %q", path, got.Path, resp.StatusCode, want)
		}
	}
}

func TestAnswersOfTheBalancersOwn(t *testing.T) {
	s := newSite(t, 0, file{
		pool: plainPool, nodes: []string{mirror(t, "a")},
		routes: []string{
			"{path: /balancer-manager, deny: true}",
			"{path: /old, redirect: /new}",
			"{path: /gone, redirect: {to: 'https://www.example.org:8443/there', status: 308}}",
			"{path: /query, redirect: '/q?a=b'}",
			"{regex: '/u/(\\w+)', redirect: {to: '/user/\\1', status: 301}}",
			"{path: /bare, redirect: 'https://www.example.org?x=1'}",
			"{exact: /home, redirect: {to: 'http://example.org/', status: 303}}",
			"{path: /sorry, respond: {status: 503, body: '<p>Back at noon.', content_type: text/html}}",
			"{path: /empty, respond: 204}",
		},
	})
	for path, want := range map[string]string{
		"/old": "302 " + s.url("/new"), "/old/x?y": "302 " + s.url("/new/x?y"), "/old;p": "302 " + s.url("/new;p"),
		"/gone/x": "308 https://www.example.org:8443/there/x", "/query/x?c": "302 " + s.url("/q?a=b"),
		"/u/me?x": "301 " + s.url("/user/me?x"), "/home": "303 http://example.org/",
		"/bare/x":           "302 https://www.example.org/?x=1",
		"/balancer-manager": "404 ", "/balancer-manager;x": "404 ", "/empty": "204 ", "/sorry": "503 ",
	} {
		_, resp := s.sees(path)
		if got := fmt.Sprint(resp.StatusCode, " ", resp.Header.Get("Location")); got != want {
			t.Errorf("%s: %s, want %s", path, got, want)
		}
	}
	_, resp := s.ask("/sorry", "")
	if got := resp.Header.Get("Content-Type"); got != "text/html" {
		t.Errorf("content type %q", got)
	}
}

func TestOnlyTheseAddressesMayGoThere(t *testing.T) {
	s := newSite(t, 0, file{
		pool: plainPool, nodes: []string{mirror(t, "a")},
		routes: []string{
			"{path: /ours, pool: identity, allow: [192.0.2.7, 127.0.0.0/8]}",
			"{path: /theirs, pool: identity, allow: [192.0.2.0/24, '2001:db8::/32']}",
			"{path: /sent, redirect: /x, allow: [192.0.2.1]}",
		},
	})
	for path, want := range map[string]int{
		"/ours": 200, "/theirs": 403, "/theirs/x": 403, "/theirs;x": 403, "/;/theirs": 404, "/x/..;/theirs": 403, "/sent": 403, "/else": 200,
	} {
		if _, resp := s.sees(path, "X-Forwarded-For", "192.0.2.7"); resp.StatusCode != want {
			t.Errorf("%s: %d, want %d", path, resp.StatusCode, want)
		}
	}
}

func TestTheHostHeaderIsKeptOrTheNodesOrFixed(t *testing.T) {
	node := mirror(t, "a")
	own := strings.TrimSuffix(strings.Split(node, "address: ")[1], "}")
	for host, want := range map[string]string{"keep": "localhost:", "node": own, "is.internal:9443": "is.internal:9443"} {
		s := newSite(t, 0, file{pool: plainPool + ", host: " + host, nodes: []string{node}})
		got, _ := s.sees("/")
		if !strings.HasPrefix(got.Host, want) {
			t.Errorf("host: %s: the node sees %q", host, got.Host)
		}
		if fwd := got.Header.Get("X-Forwarded-Host"); fwd != fmt.Sprintf("localhost:%d", s.port) {
			t.Errorf("host: %s: X-Forwarded-Host %q", host, fwd)
		}
		s.end()
	}
}
