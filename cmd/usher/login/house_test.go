package login

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// cheap keeps the tests short; it is the least that a users file may have.
var cheap = cost{memory: 8 << 10, time: 1, lanes: 1}

const (
	aliceSays = "correct horse"
	bobSays   = "battery staple"
)

// clock is a time that tests move.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

// house is a guard with a users file, its clock and its log.
type house struct {
	*Guard
	t     *testing.T
	file  string
	clock *clock
	log   *buffer
}

type buffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

// token is that of a program of a name.
func token(name string) string { return "usher_test-" + name }

func usersText(extra ...string) string {
	sum := func(name string) string {
		s := sha256.Sum256([]byte(token(name)))
		return hex.EncodeToString(s[:])
	}
	return fmt.Sprintf(`# who may
users:
  - {name: alice, role: operator, password: '%s'} # the chief
  - {name: bob, role: viewer, password: '%s'}
tokens:
  - {name: prometheus, role: viewer, sha256: %s}
  - {name: deployer, role: operator, sha256: %s}
  - {name: old, role: operator, sha256: %s, expires: 2026-01-01T00:00:00Z}
`, newHash(aliceSays, cheap), newHash(bobSays, cheap), sum("prometheus"), sum("deployer"), sum("old")) + strings.Join(extra, "")
}

func newHouse(t *testing.T) *house {
	t.Helper()
	h := &house{t: t, file: filepath.Join(t.TempDir(), "users.yaml"), clock: &clock{at: time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)}, log: &buffer{}}
	h.write(usersText())
	log := slog.New(slog.NewTextHandler(h.log, &slog.HandlerOptions{Level: slog.LevelError})) // what is audited is told all the same
	users, err := OpenUsers(h.file, log)
	if err != nil {
		t.Fatal(err)
	}
	h.Guard = NewGuard(Config{Users: users, Log: log, URL: "http://127.0.0.1:18080", Open: []string{"/healthz"}, Asks: []string{"/api/explain"}, Now: h.clock.now})
	return h
}

func (h *house) write(text string) {
	h.t.Helper()
	if err := write(h.file, []byte(text)); err != nil {
		h.t.Fatal(err)
	}
}

// rooms are what lies behind the gate: each says who has come in.
func rooms() http.Handler {
	mux := http.NewServeMux()
	say := func(w http.ResponseWriter, r *http.Request) {
		u, _ := From(r.Context())
		_, _ = fmt.Fprintf(w, "%s is %s via %s %s\n", u.Name, u.Role, u.Via, Token(r.Context()))
	}
	mux.HandleFunc("/", say)
	mux.Handle("/secret", Require(Operator, http.HandlerFunc(say)))
	mux.HandleFunc("POST /change", func(w http.ResponseWriter, r *http.Request) {
		Audit(r.Context(), "a change", Done, slog.String("body", r.PostFormValue("to")))
		say(w, r)
	})
	return mux
}

// door serves a gate of the house, by TLS where it is remote.
func (h *house) door(mode Mode) *httptest.Server {
	h.t.Helper()
	s := httptest.NewUnstartedServer(h.Gate(mode).Wrap(rooms()))
	s.Config.ConnContext = ConnContext
	s.EnableHTTP2 = true
	if mode == Remote {
		s.StartTLS()
	} else {
		s.Start()
	}
	h.t.Cleanup(s.Close)
	return s
}

// browser is a client with cookies, which follows no redirects and says what
// browsers say of where a request comes from.
type browser struct {
	t *testing.T
	*http.Client
	at string
}

func browse(t *testing.T, s *httptest.Server) browser {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	c := *s.Client()
	c.Jar, c.CheckRedirect = jar, func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return browser{t, &c, s.URL}
}

// answer is what a request got.
type answer struct {
	code   int
	body   string
	header http.Header
}

func (b browser) ask(method, path string, form url.Values, headers ...string) answer {
	b.t.Helper()
	var body io.Reader
	if form != nil {
		body = strings.NewReader(form.Encode())
	}
	r, err := http.NewRequestWithContext(b.t.Context(), method, b.at+path, body)
	if err != nil {
		b.t.Fatal(err)
	}
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for pair := range slices.Chunk(headers, 2) {
		r.Header.Set(pair[0], pair[1])
	}
	resp, err := b.Do(r)
	if err != nil {
		b.t.Fatal(err)
	}
	defer resp.Body.Close() //nolint:errcheck // read only
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	return answer{resp.StatusCode, string(text), resp.Header}
}

func (b browser) get(path string, headers ...string) answer {
	return b.ask("GET", path, nil, headers...)
}

func (b browser) logIn(name, password string) answer {
	return b.ask("POST", "/login", url.Values{"name": {name}, "password": {password}}, "Sec-Fetch-Site", "same-origin")
}

var tokenShape = regexp.MustCompile(`name="csrf" value="([^"]+)"`)

// token is that of the forms of the browser's session.
func (b browser) token() string {
	b.t.Helper()
	found := tokenShape.FindStringSubmatch(b.get("/login").body)
	if found == nil {
		b.t.Fatal("no session")
	}
	return found[1]
}

func (h *house) mustLog(parts ...string) {
	h.t.Helper()
	for line := range strings.Lines(h.log.String()) {
		all := strings.Contains(line, "audit=true")
		for _, p := range parts {
			all = all && strings.Contains(line, p)
		}
		if all {
			return
		}
	}
	h.t.Errorf("no line of the log has %q:\n%s", parts, h.log)
}

func setMode(t *testing.T, file string, mode os.FileMode) {
	t.Helper()
	if err := os.Chmod(file, mode); err != nil {
		t.Fatal(err)
	}
}
