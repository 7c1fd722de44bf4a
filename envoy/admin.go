package envoy

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// Admin is Envoy's admin interface: on a unix socket, or as far as an Envoy elsewhere
// shows it, at an address by TLS.
type Admin struct {
	Socket  string
	Address string // HOST:PORT, in the place of Socket
	TLS     *tls.Config
}

// Get asks for a page, such as /ready or /stats.
func (a Admin) Get(ctx context.Context, path string) (string, error) {
	return a.do(ctx, http.MethodGet, path)
}

// Post gives a command, such as /quitquitquit.
func (a Admin) Post(ctx context.Context, path string) (string, error) {
	return a.do(ctx, http.MethodPost, path)
}

// Ready tells whether Envoy has its configuration and serves.
func (a Admin) Ready(ctx context.Context) bool {
	_, err := a.Get(ctx, "/ready")
	return err == nil
}

// InFlight counts the requests that clients wait for.
func (a Admin) InFlight(ctx context.Context) (int, error) {
	text, err := a.Get(ctx, "/stats?filter=^http\\..*\\.downstream_rq_active$")
	if err != nil {
		return 0, err
	}
	total := 0
	for line := range strings.Lines(text) {
		name, value, ok := strings.Cut(strings.TrimSpace(line), ": ")
		if !ok || strings.HasPrefix(name, "http.admin.") {
			continue
		}
		n, err := strconv.Atoi(value)
		if err != nil {
			return 0, fmt.Errorf("%s: %w", name, err)
		}
		total += n
	}
	return total, nil
}

func (a Admin) do(ctx context.Context, method, path string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	transport, base := &http.Transport{DisableKeepAlives: true}, "https://"+a.Address
	if transport.TLSClientConfig = a.TLS; a.Address == "" {
		transport.DialContext, base = a.dial, "http://envoy"
	}
	req, err := http.NewRequestWithContext(ctx, method, base+path, nil)
	if err != nil {
		return "", err
	}
	resp, err := transport.RoundTrip(req)
	if err != nil {
		return "", fmt.Errorf("Envoy's admin interface: %w", err)
	}
	defer resp.Body.Close() //nolint:errcheck // read only
	body, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode != http.StatusOK {
		page, _, _ := strings.Cut(path, "?")
		err = fmt.Errorf("Envoy's admin interface: %s: %s", page, resp.Status)
	}
	return string(body), err
}

// dial goes by the folder's descriptor: a socket's address holds 107 bytes, and
// a state folder may lie deep.
func (a Admin) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	dir, err := os.Open(filepath.Dir(a.Socket))
	if err != nil {
		return nil, err
	}
	defer dir.Close() //nolint:errcheck // read only
	short := fmt.Sprintf("/proc/self/fd/%d/%s", dir.Fd(), filepath.Base(a.Socket))
	return (&net.Dialer{}).DialContext(ctx, "unix", short)
}
