//go:build console

package console

import (
	"bytes"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// patience bounds every wait.
const patience = 30 * time.Second

var bin string // the folder with the built programs

func TestMain(m *testing.M) { os.Exit(setUp(m)) }

func setUp(m *testing.M) int {
	dir, err := os.MkdirTemp("", "usher-console-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir) //nolint:errcheck // a temporary folder
	bin = dir
	for path, bring := range map[string]string{tool("envoy"): "make envoy", tool(axeFile): "make test-console"} {
		if _, err := os.Stat(path); err != nil {
			fmt.Fprintf(os.Stderr, "%v: %s brings it\n", err, bring)
			return 1
		}
	}
	for _, p := range []string{"usher/cmd/usher", "usher/e2e/isstub"} {
		if out, err := exec.Command("go", "build", "-o", bin, p).CombinedOutput(); err != nil {
			fmt.Fprintf(os.Stderr, "build %s: %v\n%s", p, err, out)
			return 1
		}
	}
	return m.Run()
}

func tool(name string) string {
	path, _ := filepath.Abs(filepath.Join("..", "..", ".tools", name))
	return path
}

// process is a program that a test has started.
type process struct {
	cmd  *exec.Cmd
	done chan struct{}
	mu   sync.Mutex
	said bytes.Buffer
}

func start(t *testing.T, name string, args ...string) *process {
	t.Helper()
	p := &process{cmd: exec.Command(filepath.Join(bin, name), args...), done: make(chan struct{})}
	p.cmd.Stdout, p.cmd.Stderr = p, p
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() { _ = p.cmd.Wait(); close(p.done) }()
	t.Cleanup(p.end)
	return p
}

// Write collects what the program says.
func (p *process) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.said.Write(b)
}

func (p *process) output() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.said.String()
}

// end asks politely, and then less so.
func (p *process) end() {
	_ = p.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-p.done:
	case <-time.After(patience):
		_ = p.cmd.Process.Kill()
		<-p.done
	}
}

func freePort(t *testing.T) int {
	t.Helper()
	lis, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer lis.Close() //nolint:errcheck // just opened
	return lis.Addr().(*net.TCPAddr).Port
}

// site is an usher with its file.
type site struct {
	t             *testing.T
	usher         *process
	config        string
	https, port   int // of Envoy and of the console
	nodes         []int
	nodeProcesses []*process
}

// fileOf is a file with comments that have to stay.
const fileOf = `# The cluster of the test.
listeners:
  - name: https   # where users come
    address: 127.0.0.1:%d
    tls: {}
    routes: [{path: /, pool: identity}]
pools:
  - name: identity
    sticky: {jvm_route: JSESSIONID}
    tls: {verify: none}      # the stubs sign for themselves
    nodes:
      # the fast one
      - {name: isNode1, address: "127.0.0.1:%d"}   # rack 1
      - {name: isNode2, address: "127.0.0.1:%d", weight: 2}   # rack 2
`

func newSite(t *testing.T) *site {
	t.Helper()
	s := &site{t: t, config: filepath.Join(t.TempDir(), "cluster.yaml"), https: freePort(t), port: freePort(t)}
	for i := range 3 {
		port := freePort(t)
		s.nodes = append(s.nodes, port)
		s.nodeProcesses = append(s.nodeProcesses, start(t, "isstub", "--name", fmt.Sprintf("isNode%d", i+1), "--listen", fmt.Sprintf("127.0.0.1:%d", port)))
	}
	s.write(s.original())
	s.usher = start(t, "usher", "run", "--config", s.config, "--envoy", tool("envoy"), "--xds", fmt.Sprintf("127.0.0.1:%d", freePort(t)), "--console", s.address())
	t.Cleanup(func() {
		if t.Failed() {
			t.Log(s.usher.output())
		}
	})
	s.until("usher to serve", func() bool { return s.accepted() && s.asks() != "" })
	return s
}

func (s *site) original() string { return fmt.Sprintf(fileOf, s.https, s.nodes[0], s.nodes[1]) }
func (s *site) address() string  { return fmt.Sprintf("127.0.0.1:%d", s.port) }
func (s *site) url() string      { return "http://" + s.address() + "/" }

func (s *site) write(text string) {
	s.t.Helper()
	if err := os.WriteFile(s.config, []byte(text), 0o600); err != nil {
		s.t.Fatal(err)
	}
}

func (s *site) text() string {
	s.t.Helper()
	text, err := os.ReadFile(s.config)
	if err != nil {
		s.t.Fatal(err)
	}
	return string(text)
}

// until polls, with a deadline.
func (s *site) until(what string, ok func() bool) {
	s.t.Helper()
	for began := time.Now(); !ok(); time.Sleep(50 * time.Millisecond) {
		if time.Since(began) > patience {
			s.t.Fatalf("waited %s in vain for %s", patience, what)
		}
	}
}

// accepted tells whether the file is served.
func (s *site) accepted() bool {
	resp, err := http.Get(s.url() + "status.json") //nolint:noctx // a loopback address
	if err != nil {
		return false
	}
	defer resp.Body.Close() //nolint:errcheck // read only
	var st struct{ Accepted bool }
	return json.NewDecoder(resp.Body).Decode(&st) == nil && st.Accepted
}

var client = http.Client{Timeout: 5 * time.Second, Transport: &http.Transport{
	TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, DisableKeepAlives: true}} //nolint:gosec // it only counts

// asks is the node that serves a new client; empty where none does.
func (s *site) asks() string {
	resp, err := client.Get(fmt.Sprintf("https://127.0.0.1:%d/", s.https))
	if err != nil {
		return ""
	}
	defer resp.Body.Close() //nolint:errcheck // read only
	return resp.Header.Get("X-Node")
}

// serve waits until new clients come to just these nodes.
func (s *site) serve(want ...string) {
	s.t.Helper()
	s.until(strings.Join(want, ", ")+" to serve", func() bool {
		seen := map[string]bool{}
		for range 12 {
			seen[s.asks()] = true
		}
		for _, name := range want {
			if !seen[name] {
				return false
			}
		}
		return len(seen) == len(want)
	})
}

// link is what `usher console` prints.
func (s *site) link() string {
	s.t.Helper()
	out, err := exec.Command(filepath.Join(bin, "usher"), "console", "--config", s.config).Output()
	if err != nil {
		s.t.Fatal(err)
	}
	return strings.TrimSpace(string(out))
}
