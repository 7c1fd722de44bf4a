// Package e2e holds the promises of usher, each kept against a real Envoy. It
// serves whoever changes anything: a promise that breaks has a name.
//
// It starts everything it needs on loopback, on free ports, in a temporary
// folder, and ends by process id what it started.
package e2e

import (
	"bytes"
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

// patience bounds waits for what a promise gives no time for.
const patience = 15 * time.Second

var bin string // the folder with the built programs

func TestMain(m *testing.M) { os.Exit(setUp(m)) }

func setUp(m *testing.M) int {
	dir, err := os.MkdirTemp("", "usher-e2e-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir) //nolint:errcheck // a temporary folder
	bin = dir
	if _, err := os.Stat(envoyPath()); err != nil {
		fmt.Fprintf(os.Stderr, "%v\nrun `make envoy` first\n", err)
		return 1
	}
	if err := os.Setenv("GORACE", "atexit_sleep_ms=0"); err != nil { // a second at every end otherwise
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	for _, p := range []string{"usher/cmd/usher", "usher/e2e/isstub"} {
		out, err := exec.Command("go", "build", "-race", "-o", bin, p).CombinedOutput()
		if err != nil {
			fmt.Fprintf(os.Stderr, "build %s: %v\n%s", p, err, out)
			return 1
		}
	}
	return m.Run()
}

func envoyPath() string {
	path, _ := filepath.Abs(filepath.Join("..", ".tools", "envoy"))
	return path
}

// process is a program that a test has started.
type process struct {
	t    *testing.T
	cmd  *exec.Cmd
	done chan struct{}
	mu   sync.Mutex
	said bytes.Buffer
}

func start(t *testing.T, name string, args ...string) *process {
	t.Helper()
	p := &process{t: t, cmd: exec.Command(name, args...), done: make(chan struct{})}
	p.cmd.Stdout, p.cmd.Stderr = p, p
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() { _ = p.cmd.Wait(); close(p.done) }()
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

func (p *process) signal(s syscall.Signal) { _ = syscall.Kill(p.cmd.Process.Pid, s) }

func (p *process) kill() {
	p.signal(syscall.SIGKILL)
	<-p.done
}

// end asks politely, and then less so.
func (p *process) end() {
	p.signal(syscall.SIGCONT)
	p.signal(syscall.SIGTERM)
	select {
	case <-p.done:
	case <-time.After(patience):
		p.kill()
	}
}

// stub is one node.
type stub struct {
	*process
	name  string
	port  int
	args  []string
	asked int // questions of the tests themselves
}

func startStub(t *testing.T, name string, args ...string) *stub {
	t.Helper()
	s := &stub{name: name, port: freePort(t), args: args}
	s.again(t)
	t.Cleanup(func() { s.signal(syscall.SIGCONT); s.kill() })
	return s
}

// again starts a killed node on its old port.
func (s *stub) again(t *testing.T) {
	t.Helper()
	args := append([]string{"--name", s.name, "--listen", fmt.Sprintf("127.0.0.1:%d", s.port)}, s.args...)
	s.process = start(t, filepath.Join(bin, "isstub"), args...)
	until(t, patience, s.name+" to listen", func() bool { return listens(s.port) })
}

func listens(port int) bool {
	c, err := net.DialTimeout("tcp", fmt.Sprintf("127.0.0.1:%d", port), time.Second)
	if err != nil {
		return false
	}
	_ = c.Close()
	return true
}

var ports sync.Map

// freePort is one that nobody listens on and no other test here has got.
func freePort(t *testing.T) int {
	t.Helper()
	for range 100 {
		lis, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		port := lis.Addr().(*net.TCPAddr).Port
		_ = lis.Close()
		if _, taken := ports.LoadOrStore(port, true); !taken {
			return port
		}
	}
	t.Fatal("no free port")
	return 0
}

// until polls, with a deadline.
func until(t *testing.T, limit time.Duration, what string, ok func() bool) time.Duration {
	t.Helper()
	began := time.Now()
	for !ok() {
		if time.Since(began) > limit {
			t.Fatalf("waited %s in vain for %s", limit, what)
		}
		time.Sleep(5 * time.Millisecond)
	}
	return time.Since(began)
}

// status is the part of /status.json that the tests look at.
type status struct {
	Serving  bool
	Source   string
	Accepted bool
	Problems []struct {
		Line              int
		Field, What, Hint string
	}
	Warnings   []string
	ServedHash string `json:"served_hash"`
	Refusal    *struct {
		Words string
		Count int
	}
	Published  map[string]string
	Supervised *struct {
		PID, Restarts int
		State         string
	}
	Envoys []struct {
		Node    string
		Trusted bool
		Kinds   []struct{ Kind, Version, State string }
	}
	Pools []struct {
		Name  string
		Nodes []struct {
			Name, IP, State, Fault, Asks, Health, Reason string
			Active                                       int
		}
	}
}

func (s *site) status() (status, bool) {
	var st status
	resp, err := http.Get(fmt.Sprintf("http://127.0.0.1:%d/status.json", s.console))
	if err != nil {
		return st, false
	}
	defer resp.Body.Close() //nolint:errcheck // read only
	return st, json.NewDecoder(resp.Body).Decode(&st) == nil
}

func tail(s string, lines int) string {
	all := strings.Split(strings.TrimSpace(s), "\n")
	return strings.Join(all[max(0, len(all)-lines):], "\n")
}
