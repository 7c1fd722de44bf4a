package e2e

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// users are clients with a session each. Their pauses are exponential: evenly
// spaced requests hide a broken stickiness behind a plain round robin.
type users struct {
	s       *site
	http2   bool
	fresh   bool          // a connection for every request
	pause   time.Duration // on average
	timeout time.Duration
	path    string

	requests atomic.Int64
	closed   atomic.Int64 // connections that the balancer closed
	mu       sync.Mutex
	all      []*user
	failed   []string
	slowest  time.Duration
}

// user is one of them.
type user struct {
	session string // as in the cookie
	first   string // the node that made it
	node    string // the one that answered last
	wrong   int    // answers of another node than the session's
	moves   int
}

func routeOf(session string) string {
	_, route, _ := strings.Cut(session, ".")
	return route
}

// roots trust the site's local CA, and during its rotation the other one too.
func (s *site) roots() *x509.CertPool {
	s.t.Helper()
	roots := x509.NewCertPool()
	for _, folder := range []string{"ca", "ca-other"} {
		pem, err := os.ReadFile(filepath.Join(s.state(), folder, "ca.crt"))
		if err != nil && folder == "ca" {
			s.t.Fatal(err)
		}
		roots.AppendCertsFromPEM(pem)
	}
	return roots
}

// client trusts the site's own CA, as its users do.
func (s *site) client(http2 bool, closed *atomic.Int64) *http.Client {
	s.t.Helper()
	tr := &http.Transport{
		TLSClientConfig:     &tls.Config{RootCAs: s.roots()},
		ForceAttemptHTTP2:   http2,
		MaxIdleConnsPerHost: 1000,
		IdleConnTimeout:     time.Minute,
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			c, err := (&net.Dialer{}).DialContext(ctx, "tcp", fmt.Sprintf("127.0.0.1:%d", s.port))
			if err != nil {
				return nil, err
			}
			return &countedConn{Conn: c, closed: closed}, nil
		},
	}
	if !http2 {
		tr.TLSNextProto = map[string]func(string, *tls.Conn) http.RoundTripper{}
	}
	s.t.Cleanup(tr.CloseIdleConnections)
	return &http.Client{Transport: tr, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

// countedConn notices when the other side closes.
type countedConn struct {
	net.Conn
	closed *atomic.Int64
	once   sync.Once
}

func (c *countedConn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	if err != nil && !errors.Is(err, net.ErrClosed) && c.closed != nil {
		c.once.Do(func() { c.closed.Add(1) })
	}
	return n, err
}

// begin gives n users a session each.
func (u *users) begin(n int) *users {
	u.s.t.Helper()
	for range n {
		u.all = append(u.all, &user{})
	}
	u.rounds(context.Background(), 1)
	for _, x := range u.all {
		if x.session == "" {
			u.s.t.Fatalf("no session at the first request: %v", u.failed)
		}
	}
	return u
}

// rounds lets every user make n requests, or as many as ctx allows.
func (u *users) rounds(ctx context.Context, n int) {
	var group sync.WaitGroup
	shared := u.s.client(u.http2, &u.closed)
	for _, x := range u.all {
		group.Go(func() {
			client := shared
			if u.fresh {
				client = u.s.client(u.http2, nil)
				client.Transport.(*http.Transport).DisableKeepAlives = true
			}
			for range n {
				if !u.wait(ctx) {
					return
				}
				u.request(client, x)
			}
		})
	}
	group.Wait()
}

func (u *users) wait(ctx context.Context) bool {
	t := time.NewTimer(time.Duration(rand.ExpFloat64() * float64(u.pause)))
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return ctx.Err() == nil
	}
}

// during keeps all users busy while something happens.
func (u *users) during(what func()) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); u.rounds(ctx, 1_000_000) }()
	what()
	cancel()
	<-done
}

func (u *users) request(client *http.Client, x *user) {
	u.requests.Add(1)
	ctx, cancel := context.WithTimeout(context.Background(), max(u.timeout, 30*time.Second))
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.s.url("/"+u.path), nil)
	if err != nil {
		u.fail(err)
		return
	}
	if x.session != "" {
		req.Header.Set("Cookie", "JSESSIONID="+x.session)
	}
	began := time.Now()
	resp, err := client.Do(req)
	if err != nil {
		u.fail(err)
		return
	}
	_, err = io.Copy(io.Discard, resp.Body)
	_ = resp.Body.Close()
	if err != nil || resp.StatusCode != http.StatusOK {
		u.fail(fmt.Errorf("%s, flags %s, %w", resp.Status, resp.Header.Get("X-Node"), err))
		return
	}
	u.note(x, resp, time.Since(began))
}

func (u *users) note(x *user, resp *http.Response, took time.Duration) {
	node := resp.Header.Get("X-Node")
	if x.session != "" && routeOf(x.session) != node {
		x.wrong++
	}
	if x.node != "" && x.node != node {
		x.moves++
	}
	x.node = node
	for _, c := range resp.Cookies() {
		if c.Name == "JSESSIONID" {
			x.session = c.Value
		}
	}
	if x.first == "" {
		x.first = node
	}
	u.mu.Lock()
	u.slowest = max(u.slowest, took)
	u.mu.Unlock()
}

func (u *users) fail(err error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.failed = append(u.failed, err.Error())
}

// on are the users that a node has.
func (u *users) on(node string) (n int) {
	for _, x := range u.all {
		if x.node == node {
			n++
		}
	}
	return n
}

func (u *users) wrong() (n int) {
	for _, x := range u.all {
		n += x.wrong
	}
	return n
}

// mustNotFail reports what failed, in few words.
func (u *users) mustNotFail(t *testing.T) {
	t.Helper()
	if len(u.failed) > 0 {
		t.Errorf("%d of %d requests failed: %s", len(u.failed), u.requests.Load(), strings.Join(u.failed[:min(5, len(u.failed))], "; "))
	}
}
