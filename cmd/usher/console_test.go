package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/spf13/cobra"

	"usher/cmd/usher/login"
	"usher/model"
	"usher/xds/pki"
)

// consoleOf is a control plane that runs, with a client of its console.
type consoleOf struct {
	places
	t      *testing.T
	url    string
	client *http.Client
}

// serve runs `usher serve` over a folder of its own, with a user alice.
func serve(t *testing.T, args ...string) *consoleOf {
	t.Helper()
	dir := t.TempDir()
	s := &consoleOf{t: t, places: places{config: filepath.Join(dir, "cluster.yaml"), state: filepath.Join(dir, "state")}}
	if err := os.WriteFile(s.config, []byte(small), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := login.Change(s.usersFile(""), func(f *login.File) error { return f.AddUser("alice", login.Operator, "correct horse") }); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	over := make(chan int, 1)
	args = append([]string{"serve", "--config", s.config, "--state", s.state, "--xds", "127.0.0.1:0"}, args...)
	go func() { over <- execute(ctx, args) }()
	t.Cleanup(func() { stop(); <-over })
	for s.url == "" {
		select {
		case code := <-over:
			over <- code
			t.Fatalf("usher ended with %d", code)
		case <-time.After(20 * time.Millisecond):
			if status, _, err := askStatus(ctx, s.places); err == nil && status.Healthy() {
				s.url, _, _ = strings.Cut(s.link(), "/login/")
			}
		}
	}
	s.client = s.browser()
	return s
}

// link is what `usher console` prints.
func (s *consoleOf) link() string {
	s.t.Helper()
	cmd := &cobra.Command{}
	cmd.SetContext(s.t.Context())
	link, err := askLink(cmd, s.places)
	if err != nil {
		s.t.Fatal(err)
	}
	return link
}

// browser is a client that trusts the local CA, and takes this machine for
// whatever host it asks.
func (s *consoleOf) browser() *http.Client {
	s.t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		s.t.Fatal(err)
	}
	roots := x509.NewCertPool()
	if ca, err := os.ReadFile(filepath.Join(s.state, "ca", "ca.crt")); err == nil {
		roots.AppendCertsFromPEM(ca)
	}
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}, ForceAttemptHTTP2: true, DisableKeepAlives: true}
	s.t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Jar: jar, Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

func (s *consoleOf) ask(method, path string, body string, headers ...string) (int, string, *http.Response) {
	s.t.Helper()
	r, err := http.NewRequestWithContext(s.t.Context(), method, s.url+path, bytes.NewReader([]byte(body)))
	if err != nil {
		s.t.Fatal(err)
	}
	for pair := range slices.Chunk(headers, 2) {
		if pair[0] == "Host" {
			r.Host = pair[1]
		}
		r.Header.Set(pair[0], pair[1])
	}
	resp, err := s.client.Do(r)
	if err != nil {
		s.t.Fatal(err)
	}
	defer resp.Body.Close() //nolint:errcheck // read only
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return resp.StatusCode, string(text), resp
}

func TestTheConsoleOnLoopbackIsForReaders(t *testing.T) {
	s := serve(t, "--console", "127.0.0.1:0")
	for path, want := range map[string]int{"/status.json": 200, "/healthz": 200, "/metrics": 200, "/login": 200, "/nothing": 404, "/api/v1/status": 200} {
		if code, text, _ := s.ask("GET", path, ""); code != want {
			t.Errorf("%s: %d %s", path, code, text)
		}
	}
	if code, text, _ := s.ask("POST", "/status.json", ""); code != 403 || !strings.Contains(text, "usher console") {
		t.Error(code, text)
	}
	if code, _, _ := s.ask("GET", "/status.json", "", "Host", "evil.example"); code != 403 {
		t.Error("a name that was turned to this machine", code)
	}
	path := strings.TrimPrefix(s.link(), s.url)
	if code, text, _ := s.ask("GET", path, ""); code != 200 {
		t.Fatal(code, text)
	}
	if _, text, _ := s.ask("GET", "/login", ""); !strings.Contains(text, ", operator.") {
		t.Error(text)
	}
	if code, _, _ := s.ask("GET", path, ""); code != 403 {
		t.Error("the link is good twice", code)
	}
}

func TestAConsoleThatOthersReach(t *testing.T) {
	s := serve(t, "--console", "0.0.0.0:0")
	for path, want := range map[string]int{"/healthz": 200, "/login": 200, "/status.json": 401, "/metrics": 401, "/": 401, "/api/v1/status": 401, "/api/v1/openapi.yaml": 401} {
		if code, text, _ := s.ask("GET", path, ""); code != want {
			t.Errorf("%s: %d %s", path, code, text)
		}
	}
	var token string
	if err := login.Change(s.usersFile(""), func(f *login.File) (err error) {
		token, err = f.AddToken("prometheus", login.Viewer, time.Time{})
		return err
	}); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"/status.json", "/metrics", "/api/v1/status"} {
		if code, text, resp := s.ask("GET", path, "", "Authorization", "Bearer "+token); code != 200 || resp.ProtoMajor != 2 {
			t.Errorf("%s: %d HTTP/%d %s", path, code, resp.ProtoMajor, text)
		}
	}
	form := url.Values{"name": {"alice"}, "password": {"correct horse"}}.Encode()
	if code, text, _ := s.ask("POST", "/login", form, "Content-Type", "application/x-www-form-urlencoded"); code != 303 {
		t.Fatal(code, text)
	}
	if code, _, _ := s.ask("GET", "/status.json", ""); code != 200 {
		t.Error(code)
	}
	if err := login.Change(s.usersFile(""), func(f *login.File) error { return f.RemoveUser("alice") }); err != nil {
		t.Fatal(err)
	}
	if code, _, _ := s.ask("GET", "/status.json", ""); code != 401 {
		t.Error("she is gone, her session is not", code)
	}
	plain := strings.Replace(s.url, "https", "http", 1)
	if resp, err := s.client.Get(plain + "/healthz"); err == nil {
		_ = resp.Body.Close()
		if resp.StatusCode != 400 {
			t.Error("plain text is answered", resp.StatusCode)
		}
	}
	old := s.client.Transport.(*http.Transport).Clone()
	old.TLSClientConfig.MaxVersion = tls.VersionTLS11
	if resp, err := (&http.Client{Transport: old}).Get(s.url + "/healthz"); err == nil {
		_ = resp.Body.Close()
		t.Error("TLS 1.1 is spoken")
	}
	list, said := certListCommand(), &bytes.Buffer{}
	list.SetArgs([]string{"--config", s.config, "--state", s.state})
	list.SetOut(said)
	if err := list.ExecuteContext(t.Context()); err != nil || !strings.Contains(said.String(), "\nconsole ") {
		t.Errorf("usher cert list: %v\n%s", err, said)
	}
}

func TestTheConsolesCertificateFollowsItsRenewals(t *testing.T) {
	l, now := alone(t), time.Now()
	l.face = newFace("server", []string{"usher.example"})
	l.dress(now)
	if _, err := l.face.certificate(nil); err == nil {
		t.Fatal("something is shown before the file is read")
	}
	l.save(t, small)
	l.dress(now)
	leaf := func() pki.Leaf {
		t.Helper()
		c, err := l.face.certificate(nil)
		if err != nil {
			t.Fatal(err)
		}
		return c.Leaf
	}
	first := leaf()
	if !first.Equal(l.now.pairs["server"].Leaf) {
		t.Error("not that of the file")
	}
	l.dress(now)
	later := l.now.due.Add(time.Minute)
	l.renew(later)
	l.dress(later)
	if second := leaf(); second.Equal(first) || !second.Equal(l.now.pairs["server"].Leaf) {
		t.Error("the renewal is not shown")
	}
	l.save(t, strings.ReplaceAll(small, "server", "other"))
	l.dress(later)
	if err := leaf().VerifyHostname("usher.example"); err != nil {
		t.Error("none of the file, and the local CA's does not stand in:", err)
	}
	if l.face.fault == "" {
		t.Error("nobody hears of it")
	}
}

func TestTheConsolesOwnCertificateIsRenewed(t *testing.T) {
	l, now := alone(t), time.Now()
	l.face = newFace("", []string{"usher.example"})
	l.dress(now)
	first, err := l.face.certificate(nil)
	if err != nil {
		t.Fatal(err)
	}
	l.dress(now.Add(2 * longestRest))
	if again, err := l.face.certificate(nil); err != nil || again != first {
		t.Error("another one without need", err)
	}
	l.dress(now.Add(model.DefaultLifetime.Std() * 3 / 4))
	if second, err := l.face.certificate(nil); err != nil || second == first {
		t.Error("it is due", err)
	}
	next := alone(t)
	next.places, next.store, next.face = l.places, l.store, newFace("", []string{"usher.example"})
	next.dress(now.Add(model.DefaultLifetime.Std() * 3 / 4))
	kept, _ := l.face.certificate(nil)
	if c, err := next.face.certificate(nil); err != nil || !c.Leaf.Equal(kept.Leaf) {
		t.Error("a restart shows another one", err)
	}
}
