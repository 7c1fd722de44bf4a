package e2e

import (
	"context"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// updates are how often Envoy has applied something, by kind.
type updates struct{ clusters, listeners, routes, endpoints, secrets int }

func (s *site) updates() updates {
	s.t.Helper()
	return updates{
		clusters:  s.stat("cluster_manager.cluster_added") + s.stat("cluster_manager.cluster_modified") + s.stat("cluster_manager.cluster_removed"),
		listeners: s.stat("listener_manager.listener_added") + s.stat("listener_manager.listener_modified") + s.stat("listener_manager.listener_removed"),
		routes:    s.stat("http.https.rds.https.config_reload"),
		endpoints: s.stat("cluster.identity.update_success"),
		secrets:   s.stat("sds.server.update_success"),
	}
}

// stat is one of Envoy's counters, by the supervised Envoy's admin socket.
func (s *site) stat(name string) int {
	s.t.Helper()
	for line := range strings.Lines(s.admin("/stats?filter=" + name)) {
		if got, value, _ := strings.Cut(strings.TrimSpace(line), ": "); got == name {
			n, err := strconv.Atoi(value)
			if err != nil {
				s.t.Fatal(err)
			}
			return n
		}
	}
	return 0
}

func (s *site) admin(path string) string {
	s.t.Helper()
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true, DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		dir, err := os.Open(s.state())
		if err != nil {
			return nil, err
		}
		defer dir.Close() //nolint:errcheck // read only
		return (&net.Dialer{}).DialContext(ctx, "unix", filepath.Join("/proc/self/fd", strconv.Itoa(int(dir.Fd())), "admin.sock"))
	}}}
	resp, err := client.Get("http://envoy" + path)
	if err != nil {
		s.t.Fatal(err)
	}
	defer resp.Body.Close() //nolint:errcheck // read only
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return string(body)
}

// metric is one of usher's own, by its name and labels as /metrics writes them.
func (s *site) metric(name string) float64 {
	s.t.Helper()
	resp, err := http.Get("http://127.0.0.1:" + strconv.Itoa(s.console) + "/metrics")
	if err != nil {
		s.t.Fatal(err)
	}
	defer resp.Body.Close() //nolint:errcheck // read only
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	for line := range strings.Lines(string(body)) {
		if value, ok := strings.CutPrefix(strings.TrimSpace(line), name+" "); ok {
			n, err := strconv.ParseFloat(value, 64)
			if err != nil {
				s.t.Fatal(err)
			}
			return n
		}
	}
	return 0
}
