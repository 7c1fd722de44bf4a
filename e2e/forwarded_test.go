package e2e

import (
	"bufio"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

// claims are what a client may say of itself.
var claims = []string{"X-Forwarded-For", "203.0.113.9", "X-Forwarded-Proto", "http", "X-Forwarded-Host", "public.example.org", "X-Forwarded-Port", "4711",
	"X-Forwarded-Server", "evil", "X-Envoy-Retry-On", "5xx", "X-Forwarded-Anything", "x"}

func TestOnlyTrustedProxiesSayWhoAClientIs(t *testing.T) {
	for proxies, want := range map[string]map[string]string{
		"trusted_proxies: [192.0.2.1]":                {"X-Forwarded-Proto": "https", "X-Forwarded-Host": "localhost:", "X-Forwarded-For": "", "X-Forwarded-Anything": ""},
		"trusted_proxies: [192.0.2.1, '127.0.0.0/8']": {"X-Forwarded-Proto": "http", "X-Forwarded-Host": "public.example.org", "X-Forwarded-For": "203.0.113.9", "X-Forwarded-Anything": "x"},
	} {
		s := newSite(t, 0, file{listener: proxies, pool: plainPool, nodes: []string{mirror(t, "a")}, routes: []string{
			"{path: /theirs, pool: identity, allow: [203.0.113.9]}",
		}})
		got, _ := s.sees("/", claims...)
		for name, value := range want {
			if have := got.Header.Get(name); !strings.HasPrefix(have, value) || value == "" && strings.Contains(have, "203.0.113.9") {
				t.Errorf("%s: %s is %q, want %q", proxies, name, have, value)
			}
		}
		trusted := want["X-Forwarded-Anything"] == "x"
		if _, resp := s.sees("/theirs", claims...); (resp.StatusCode == 200) != trusted {
			t.Errorf("%s: a path for the client alone answers %d", proxies, resp.StatusCode)
		}
		if got.Header.Get("X-Envoy-Retry-On") != "" {
			t.Errorf("%s: X-Envoy-Retry-On came through", proxies)
		}
		s.end()
	}
}

func TestXForwardedServerIsTheListenersFirstHost(t *testing.T) {
	s := newSite(t, 0, file{listener: "forwarded_server: true", pool: plainPool, nodes: []string{mirror(t, "a")}})
	if got, _ := s.sees("/", "X-Forwarded-Server", "evil"); got.Header.Get("X-Forwarded-Server") != "localhost" {
		t.Errorf("X-Forwarded-Server %q", got.Header["X-Forwarded-Server"])
	}
}

func TestNodesNeedNotBeToldWhoAsked(t *testing.T) {
	s := newSite(t, 0, file{listener: "forwarded: false", pool: plainPool, nodes: []string{mirror(t, "a")}})
	for _, name := range []string{"X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Port"} {
		if got, _ := s.sees("/", name, "evil"); got.Header[name] != nil {
			t.Errorf("%s %q", name, got.Header[name])
		}
	}
	if got, _ := s.sees("/", "X-Forwarded-Proto", "evil"); got.Header.Get("X-Forwarded-Proto") != "https" {
		t.Errorf("X-Forwarded-Proto %q", got.Header["X-Forwarded-Proto"])
	}
}

// raw connects to the balancer and says something before TLS.
func (s *site) raw(before string) net.Conn {
	s.t.Helper()
	raw, err := net.DialTimeout("tcp", fmt.Sprintf("127.0.0.1:%d", s.port), patience)
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { _ = raw.Close() })
	_ = raw.SetDeadline(time.Now().Add(patience))
	_, _ = io.WriteString(raw, before)
	return tls.Client(raw, &tls.Config{RootCAs: s.roots(), ServerName: "localhost", NextProtos: []string{"http/1.1"}})
}

func TestAClientIsKnownByItsPROXYHeader(t *testing.T) {
	s := newSite(t, 0, file{listener: "proxy_protocol: true", pool: plainPool, nodes: []string{mirror(t, "a")}, routes: []string{
		"{path: /theirs, pool: identity, allow: [203.0.113.9]}",
	}})
	conn := s.raw("PROXY TCP4 203.0.113.9 192.0.2.1 4711 443\r\n")
	_, _ = io.WriteString(conn, "GET /theirs HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close() //nolint:errcheck // read only
	var got seen
	if err := json.NewDecoder(resp.Body).Decode(&got); err != nil || got.Header.Get("X-Forwarded-For") != "203.0.113.9" {
		t.Errorf("status %d, X-Forwarded-For %q, %v", resp.StatusCode, got.Header.Get("X-Forwarded-For"), err)
	}
	if err := s.raw("").(*tls.Conn).Handshake(); err == nil {
		t.Error("a connection without the header is served")
	}
}

func TestAPROXYHeaderDoesNotMakeATrustedProxyOfItsClient(t *testing.T) {
	s := newSite(t, 0, file{listener: "proxy_protocol: true\n    trusted_proxies: ['127.0.0.0/8', 192.0.2.9]", pool: plainPool, nodes: []string{mirror(t, "a")}})
	for from, want := range map[string]string{"198.51.100.7": "198.51.100.7", "192.0.2.9": "203.0.113.9,192.0.2.9"} {
		conn := s.raw("PROXY TCP4 " + from + " 192.0.2.1 4711 443\r\n")
		_, _ = io.WriteString(conn, "GET / HTTP/1.1\r\nHost: localhost\r\nX-Forwarded-For: 203.0.113.9\r\nConnection: close\r\n\r\n")
		resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close() //nolint:errcheck // read only
		var got seen
		if err := json.NewDecoder(resp.Body).Decode(&got); err != nil || got.Header.Get("X-Forwarded-For") != want {
			t.Errorf("from %s: status %d, X-Forwarded-For %q, want %q, %v", from, resp.StatusCode, got.Header.Get("X-Forwarded-For"), want, err)
		}
	}
}

func TestOldClientsAreServed(t *testing.T) {
	s := newSite(t, 0, file{pool: plainPool, nodes: []string{mirror(t, "a")}})
	for request, want := range map[string]string{
		"GET /x HTTP/1.0\r\n\r\n":                                           "HTTP/1.0 200",
		"GET /x HTTP/1.0\r\nHost: localhost\r\n\r\n":                        "HTTP/1.0 200",
		"GET /x HTTP/1.0\r\nHost: other.example\r\n\r\n":                    "HTTP/1.0 404",
		"GET /x HTTP/1.1\r\n\r\n":                                           "HTTP/1.1 400",
		"GET /x HTTP/1.1\r\nHost: LOCALHOST:1\r\nConnection: close\r\n\r\n": "HTTP/1.1 200",
	} {
		conn := s.raw("")
		_, _ = io.WriteString(conn, request)
		line, err := bufio.NewReader(conn).ReadString('\n')
		if err != nil || !strings.HasPrefix(line, want) {
			t.Errorf("%q: %q, %v", request, line, err)
		}
	}
}
