package e2e

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/health"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
)

// serves starts a node in this process and returns its entry in the file.
func serves(t *testing.T, name string, h http.HandlerFunc) string {
	t.Helper()
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	return fmt.Sprintf("{name: %s, address: %s}", name, server.Listener.Addr())
}

// upgraded turns the connection into one that repeats its lines.
func upgraded(w http.ResponseWriter, r *http.Request) {
	conn, rw, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return
	}
	defer conn.Close() //nolint:errcheck // the other side has gone
	_, _ = fmt.Fprintf(conn, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: %s\r\nConnection: Upgrade\r\n\r\n", r.Header.Get("Upgrade"))
	for {
		text, err := rw.ReadString('\n')
		if err != nil {
			return
		}
		_, _ = io.WriteString(conn, "again "+text)
	}
}

func TestConnectionsAreUpgradedWhereTheRouteAllows(t *testing.T) {
	s := newSite(t, 0, file{pool: plainPool + ", timeout: 500ms", nodes: []string{serves(t, "a", upgraded)},
		routes: []string{"{path: /none, pool: identity, upgrades: []}", "{path: /own, pool: identity, upgrades: [lines]}"}})
	for _, c := range []struct {
		path, protocol string
		status         int
	}{{"/", "websocket", 101}, {"/", "WebSocket", 101}, {"/", "lines", 403}, {"/none", "websocket", 403}, {"/own", "lines", 101}} {
		conn := s.raw("")
		_, _ = fmt.Fprintf(conn, "GET %s HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: %s\r\n\r\n", c.path, c.protocol)
		r := bufio.NewReader(conn)
		resp, err := http.ReadResponse(r, nil)
		if err != nil || resp.StatusCode != c.status {
			t.Errorf("%s to %s: %v, %v; want %d", c.path, c.protocol, resp, err, c.status)
			continue
		}
		if c.status != 101 {
			continue
		}
		for range 3 { // it lasts longer than the route's time-out
			time.Sleep(300 * time.Millisecond) //nolint:forbidigo // this is what is tried
			_, _ = io.WriteString(conn, "hello\n")
			if text, err := r.ReadString('\n'); text != "again hello\n" {
				t.Errorf("%s to %s: %q, %v", c.path, c.protocol, text, err)
			}
		}
	}
}

func TestLargeBodiesStreamBothWays(t *testing.T) {
	s := newSite(t, 1, file{})
	const size = 64 << 20
	req, _ := http.NewRequest(http.MethodPost, s.url("/upload"), io.LimitReader(zeros{}, size))
	resp, err := s.client(true, nil).Do(req)
	if err != nil {
		t.Fatal(err)
	}
	text, _ := io.ReadAll(resp.Body)
	_ = resp.Body.Close()
	if !strings.Contains(string(text), fmt.Sprintf(`"bytes":%d`, size)) {
		t.Errorf("the node got %s", text)
	}
	resp, err = s.client(false, nil).Get(s.url(fmt.Sprintf("/big?bytes=%d", size)))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close() //nolint:errcheck // read only
	if n, err := io.Copy(io.Discard, resp.Body); n != size || err != nil {
		t.Errorf("%d bytes came, %v", n, err)
	}
	if n := s.stat("server.memory_allocated"); n > 64<<20 {
		t.Errorf("Envoy holds %d MiB", n>>20)
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

func TestAnAnswerComesAsItIsMade(t *testing.T) {
	next := make(chan struct{})
	s := newSite(t, 0, file{pool: plainPool, nodes: []string{serves(t, "a", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "first\n")
		_ = http.NewResponseController(w).Flush()
		<-next
		_, _ = io.WriteString(w, "second\n")
	})}})
	resp, err := s.client(false, nil).Get(s.url("/"))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close() //nolint:errcheck // read only
	r := bufio.NewReader(resp.Body)
	first, _ := r.ReadString('\n')
	close(next)
	second, _ := r.ReadString('\n')
	if first != "first\n" || second != "second\n" {
		t.Errorf("%q, then %q", first, second)
	}
}

func TestTheNodeDecidesWhetherABodyMayCome(t *testing.T) {
	s := newSite(t, 0, file{pool: plainPool, nodes: []string{serves(t, "a", func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/refuse" {
			w.WriteHeader(http.StatusRequestEntityTooLarge) // before the body was asked for
			return
		}
		n, _ := io.Copy(io.Discard, r.Body)
		_, _ = fmt.Fprint(w, n)
	})}})
	for path, want := range map[string]string{"/refuse": "HTTP/1.1 413", "/take": "HTTP/1.1 100"} {
		conn := s.raw("")
		_, _ = fmt.Fprintf(conn, "POST %s HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nContent-Length: 4\r\nConnection: close\r\n\r\n", path)
		r := bufio.NewReader(conn)
		if line, err := r.ReadString('\n'); !strings.HasPrefix(line, want) {
			t.Errorf("%s: %q, %v; want %s", path, line, err, want)
			continue
		}
		if path != "/take" {
			continue
		}
		_, _ = io.WriteString(conn, "body")
		rest, _ := io.ReadAll(r)
		if !strings.Contains(string(rest), "HTTP/1.1 200") || !strings.HasSuffix(strings.TrimSpace(string(rest)), "4") && !strings.Contains(string(rest), "\r\n4") {
			t.Errorf("after the body: %q", rest)
		}
	}
}

func TestTrailersPassBothWays(t *testing.T) {
	s := newSite(t, 0, file{pool: plainPool, nodes: []string{serves(t, "a", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Trailer", "X-Sum")
		_, _ = io.Copy(w, r.Body)
		w.Header().Set("X-Sum", "got "+r.Trailer.Get("X-Check"))
	})}})
	for _, http2 := range []bool{false, true} {
		req, _ := http.NewRequest(http.MethodPost, s.url("/"), bytes.NewReader(make([]byte, 1000)))
		req.ContentLength = -1
		req.Trailer = http.Header{"X-Check": {"sent"}}
		resp, err := s.client(http2, nil).Do(req)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.Copy(io.Discard, resp.Body)
		_ = resp.Body.Close()
		if got := resp.Trailer.Get("X-Sum"); got != "got sent" {
			t.Errorf("http2 %t: trailer %q", http2, got)
		}
	}
}

func TestGRPCPassesToNodesThatSpeakHTTP2(t *testing.T) {
	server := grpc.NewServer()
	healthpb.RegisterHealthServer(server, health.NewServer())
	node := httptest.NewUnstartedServer(server)
	node.EnableHTTP2 = true
	node.StartTLS()
	t.Cleanup(node.Close)
	s := newSite(t, 0, file{pool: "balance: round_robin\nprotocol: http2\ntls: {verify: none}", nodes: []string{fmt.Sprintf("{name: a, address: %s}", node.Listener.Addr())}})
	conn, err := grpc.NewClient(fmt.Sprintf("localhost:%d", s.port), grpc.WithTransportCredentials(credentials.NewTLS(&tls.Config{RootCAs: s.roots()})))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close() //nolint:errcheck // nothing was written
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	answer, err := healthpb.NewHealthClient(conn).Check(ctx, &healthpb.HealthCheckRequest{})
	if err != nil || answer.GetStatus() != healthpb.HealthCheckResponse_SERVING {
		t.Errorf("%v, %v", answer, err)
	}
	if _, err := healthpb.NewHealthClient(conn).Check(ctx, &healthpb.HealthCheckRequest{Service: "none"}); err == nil || !strings.Contains(err.Error(), "NotFound") {
		t.Errorf("an error of the service comes as %v", err)
	}
}
