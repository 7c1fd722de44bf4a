package console

import (
	"context"
	"encoding/base64"
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
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/argon2"

	"usher/cmd/usher/desk"
	"usher/cmd/usher/figures"
	"usher/cmd/usher/login"
	"usher/cmd/usher/status"
	"usher/model"
	"usher/xds"
)

const small = `# ours
listeners:
  - {name: http, address: 127.0.0.1:8080, routes: [{path: /, pool: identity}]}
pools:
  - name: identity # the servers
    nodes:
      - {name: isNode1, address: 10.0.0.1:9443}   # fast
      - {name: isNode2, address: 10.0.0.2:9443, weight: 2}
`

const (
	operator = "correct horse"
	viewer   = "battery staple"
)

var noon = time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)

// room is a console behind a gate on loopback, with what it shows.
type room struct {
	*httptest.Server
	t      *testing.T
	config string
	status status.Status
	seen   *seen
	log    *strings.Builder
}

// seen are figures as a test wants them.
type seen struct {
	now  figures.Now
	hour []figures.Sample
}

func (s *seen) Latest() *figures.Now   { return &s.now }
func (s *seen) Hour() []figures.Sample { return s.hour }

func newRoom(t *testing.T) *room {
	t.Helper()
	dir := t.TempDir()
	r := &room{t: t, config: filepath.Join(dir, "cluster.yaml"), seen: &seen{}, log: &strings.Builder{}}
	r.write(small)
	r.status = statusOf(r.config, small)
	r.seen.now = figuresOf(r.status)
	check := func(_ context.Context, text []byte) (*model.Cluster, model.Problems) {
		return model.Parse(r.config, text)
	}
	c := &Console{Status: func() *status.Status { s := r.status; return &s }, Figures: r.seen,
		Desk: desk.New(r.config, filepath.Join(dir, "state"), check), Now: func() time.Time { return noon }}
	r.Server = httptest.NewServer(r.guard(dir).Gate(login.Loopback).Wrap(c.Handler()))
	t.Cleanup(r.Close)
	return r
}

// hashOf is a password as a users file has it, as cheap as that may be.
func hashOf(password string) string {
	salt := []byte("0123456789abcdef")
	b64 := base64.RawStdEncoding.EncodeToString
	return "$argon2id$v=19$m=8192,t=1,p=1$" + b64(salt) + "$" + b64(argon2.IDKey([]byte(password), salt, 1, 8192, 1, 32))
}

// guard knows an operator and a viewer.
func (r *room) guard(dir string) *login.Guard {
	r.t.Helper()
	file := filepath.Join(dir, "users.yaml")
	text := fmt.Sprintf("users:\n  - {name: alice, role: operator, password: '%s'}\n  - {name: bob, role: viewer, password: '%s'}\n", hashOf(operator), hashOf(viewer))
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		r.t.Fatal(err)
	}
	log := slog.New(slog.NewTextHandler(r.log, nil))
	users, err := login.OpenUsers(file, log)
	if err != nil {
		r.t.Fatal(err)
	}
	return login.NewGuard(login.Config{Users: users, Log: log, Now: time.Now})
}

func (r *room) write(text string) {
	r.t.Helper()
	if err := os.WriteFile(r.config, []byte(text), 0o600); err != nil {
		r.t.Fatal(err)
	}
}

func (r *room) text() string {
	r.t.Helper()
	text, err := os.ReadFile(r.config)
	if err != nil {
		r.t.Fatal(err)
	}
	return string(text)
}

// statusOf is what the loop would say of a file that every Envoy has accepted.
func statusOf(config, text string) status.Status {
	cluster, _ := model.Parse(config, []byte(text))
	s := status.Status{Version: "v1", Config: config, Time: noon, Changed: noon.Add(-time.Hour), Serving: true, Accepted: true, Source: status.FromFile}
	for _, p := range cluster.Pools {
		pool := status.Pool{Name: p.Name}
		for _, n := range p.Nodes {
			pool.Nodes = append(pool.Nodes, status.Node{Name: n.Name, Address: n.Address.String(), State: n.State, Weight: float64(n.Weight)})
		}
		s.Pools = append(s.Pools, pool)
	}
	s.Envoys = []xds.Client{{Node: "usher-test", Address: "@", Trusted: true, Since: noon, Kinds: []xds.ClientState{{Kind: "clusters", Version: "1", State: "ack"}}}}
	s.Certificates = []status.Certificate{{Name: "https", Hosts: []string{"localhost"}, Issuer: "usher", Expires: noon.Add(50 * time.Hour)}}
	return s
}

// figuresOf are figures of a status whose nodes are all healthy.
func figuresOf(s status.Status) figures.Now {
	now := figures.Now{Time: noon, Every: time.Second}
	for _, p := range s.Pools {
		pool := figures.Pool{Name: p.Name}
		for _, n := range p.Nodes {
			node := figures.Node{Name: n.Name, Health: figures.Healthy}
			node.Rate[figures.Sticky], node.P99, node.Requests[figures.Failover] = 12.5, 1200, 3
			pool.Nodes = append(pool.Nodes, node)
		}
		now.Pools = append(now.Pools, pool)
	}
	return now
}

// person is somebody with a browser.
type person struct {
	*room
	http.Client
	csrf string
}

// stranger looks without a login; on loopback that makes a viewer.
func (r *room) stranger() *person {
	jar, _ := cookiejar.New(nil) // never fails
	return &person{room: r, Client: http.Client{Jar: jar}}
}

var token = regexp.MustCompile(`X-CSRF-Token(?:&#34;|"):(?:&#34;|")([^"&]+)`)

func (r *room) person(name, password string) *person {
	r.t.Helper()
	p := r.stranger()
	p.send("POST", "/login", url.Values{"name": {name}, "password": {password}}, nil)
	_, page, _ := p.get("/")
	found := token.FindStringSubmatch(page)
	if found == nil {
		r.t.Fatalf("%s has no session:\n%s", name, page)
	}
	p.csrf = found[1]
	return p
}

func (p *person) get(path string) (int, string, http.Header) { return p.send("GET", path, nil, nil) }

// post sends a form as htmx does.
func (p *person) post(path string, form url.Values) (int, string) {
	code, body, _ := p.send("POST", path, form, map[string]string{"X-CSRF-Token": p.csrf})
	return code, body
}

func (p *person) send(method, path string, form url.Values, headers map[string]string) (int, string, http.Header) {
	p.t.Helper()
	req, err := http.NewRequestWithContext(p.t.Context(), method, p.URL+path, strings.NewReader(form.Encode()))
	if err != nil {
		p.t.Fatal(err)
	}
	if form != nil {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	req.Header.Set("Sec-Fetch-Site", "same-origin")
	for name, value := range headers {
		req.Header.Set(name, value)
	}
	resp, err := p.Do(req)
	if err != nil {
		p.t.Fatal(err)
	}
	defer resp.Body.Close() //nolint:errcheck // read only
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		p.t.Fatal(err)
	}
	return resp.StatusCode, string(body), resp.Header
}
