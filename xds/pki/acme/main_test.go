package acme

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"usher/e2e/pebble"
)

// noon is the clock of every test: a directory's own clock is the real one.
var noon = time.Date(2027, 6, 1, 12, 0, 0, 0, time.UTC)

func atNoon() time.Time { return noon }

// shop shows challenges, as Envoy does in earnest.
type shop struct {
	http, tls int // ports

	mu   sync.Mutex
	open []Challenge
	seen int // challenges that were shown
}

func newShop(t *testing.T) *shop {
	t.Helper()
	s := &shop{}
	web := httptest.NewServer(http.HandlerFunc(s.serve))
	t.Cleanup(web.Close)
	s.http = web.Listener.Addr().(*net.TCPAddr).Port
	lis, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{
		MinVersion: tls.VersionTLS12, NextProtos: []string{Protocol}, GetCertificate: s.certificate,
	})
	if err != nil {
		t.Fatal(err)
	}
	s.tls = lis.Addr().(*net.TCPAddr).Port
	done := make(chan struct{})
	go func() { defer close(done); s.shake(lis) }()
	t.Cleanup(func() { _ = lis.Close(); <-done })
	return s
}

func (s *shop) present(_ context.Context, open []Challenge) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.open = open
	s.seen += len(open)
	return nil
}

func (s *shop) find(ok func(Challenge) bool) (Challenge, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range s.open {
		if ok(c) {
			return c, true
		}
	}
	return Challenge{}, false
}

func (s *shop) serve(w http.ResponseWriter, r *http.Request) {
	host, _, _ := net.SplitHostPort(r.Host)
	c, ok := s.find(func(c Challenge) bool { return c.Host == host && c.Path == r.URL.Path })
	if !ok {
		http.NotFound(w, r)
		return
	}
	_, _ = io.WriteString(w, c.Answer)
}

func (s *shop) certificate(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
	c, ok := s.find(func(c Challenge) bool { return c.Host == hello.ServerName })
	if !ok {
		return nil, fmt.Errorf("no challenge for %s", hello.ServerName)
	}
	cert, err := tls.X509KeyPair(c.Pair.Chain, c.Pair.Key)
	return &cert, err
}

func (s *shop) shake(lis net.Listener) {
	for {
		conn, err := lis.Accept()
		if err != nil {
			return
		}
		_ = conn.(*tls.Conn).Handshake() // who fails is told so by TLS
		_ = conn.Close()
	}
}

// directory is pebble, looking for challenges in the shop.
func (s *shop) directory(t *testing.T) *pebble.Pebble {
	t.Helper()
	return pebble.Start(t, pebble.Options{HTTPPort: s.http, TLSPort: s.tls})
}

func client(t *testing.T) Client { return Client{Dir: filepath.Join(t.TempDir(), "acme")} }

func wish(p *pebble.Pebble, kind string) Request {
	return Request{Name: "server", Hosts: []string{"is" + pebble.Domain, "login" + pebble.Domain},
		Directory: p.Directory, Email: "admin@example.org", Roots: p.CA, Type: kind}
}

// files lists a folder's files with their modes.
func files(t *testing.T, dir string) string {
	t.Helper()
	var all strings.Builder
	err := filepath.Walk(dir, func(path string, info os.FileInfo, err error) error {
		if err == nil && path != dir {
			rel, _ := filepath.Rel(dir, path)
			fmt.Fprintf(&all, "%v %s\n", info.Mode(), rel)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all.String()
}
