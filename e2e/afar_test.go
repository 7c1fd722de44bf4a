package e2e

import (
	"crypto/tls"
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
)

// serveAfar starts usher for an Envoy elsewhere, which shows its figures, and the
// Envoy.
func (s *site) serveAfar(port int) *process {
	s.t.Helper()
	s.startUsher("serve", "--xds", fmt.Sprintf("0.0.0.0:%d", s.xds), "--advertise", fmt.Sprintf("127.0.0.1:%d", s.xds), "--figures-port", fmt.Sprint(port))
	until(s.t, patience, "serve", func() bool { st, ok := s.status(); return ok && st.Serving })
	e := start(s.t, envoyPath(), "-c", filepath.Join(s.state(), "xds", "bootstrap.yaml"), "--disable-hot-restart", "--log-level", "warning", "--concurrency", "1")
	s.t.Cleanup(e.kill)
	until(s.t, patience, "the Envoy to serve", func() bool { st, _ := s.status(); return st.Accepted && len(st.Envoys) == 1 && listens(s.port) })
	return e
}

func TestAnEnvoyElsewhereShowsItsFigures(t *testing.T) {
	s := newIdleSite(t, 2, file{})
	port := freePort(t)
	e := s.serveAfar(port)
	s.stands("isNode1", "healthy", "")
	s.nodes[0].kill()
	s.stands("isNode1", "failing", "its check fails")
	for range 5 {
		s.get("/", "JSESSIONID=A.isNode2", patience)
	}
	until(t, patience, "what it counts", func() bool {
		return s.metric(`usher_requests_total{node="isNode2",outcome="sticky",pool="identity"}`) == 5 && s.metric("usher_envoy_up") == 1
	})
	if out := s.must("node", "drain", "isNode2", "--wait", "--idle", "2s"); !strings.Contains(out, "isNode2 idle for 2s") {
		t.Errorf("drain --wait said:\n%s", out)
	}
	for name, config := range map[string]*tls.Config{
		"a stranger": {InsecureSkipVerify: true},
		"an Envoy":   s.likeEnvoy(),
	} {
		resp, err := (&http.Client{Transport: &http.Transport{TLSClientConfig: config}}).Get(fmt.Sprintf("https://127.0.0.1:%d/clusters", port))
		if err == nil {
			_ = resp.Body.Close()
			t.Errorf("%s sees the figures: %s", name, resp.Status)
		}
	}
	if resp, err := (&http.Client{}).Get(fmt.Sprintf("http://127.0.0.1:%d/quitquitquit", port)); err == nil {
		_ = resp.Body.Close()
		t.Errorf("without TLS: %s", resp.Status)
	}
	e.kill()
	until(t, patience, "that it is gone", func() bool { st, _ := s.status(); return len(st.Envoys) == 0 && s.metric("usher_envoy_up") == 0 })
}

// likeEnvoy shows the certificate that Envoys have.
func (s *site) likeEnvoy() *tls.Config {
	s.t.Helper()
	dir := filepath.Join(s.state(), "xds")
	pair, err := tls.LoadX509KeyPair(filepath.Join(dir, "client.crt"), filepath.Join(dir, "client.key"))
	if err != nil {
		s.t.Fatal(err)
	}
	return &tls.Config{InsecureSkipVerify: true, Certificates: []tls.Certificate{pair}} //nolint:gosec // G402: whom it lets in is looked at
}
