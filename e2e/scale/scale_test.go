// Package scale measures usher as a whole, with a real Envoy: how long after a
// save it is live, and what a large file costs in memory and while nothing
// happens. Its figures are those of docs/performance.md.
//
// It has benchmarks only: what must hold on any machine is in e2e.
package scale

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// patience bounds every wait: the slowest is that of an Envoy that takes 10,000
// nodes of one pool.
const patience = 4 * time.Minute

var usher string // the program, built for these benchmarks

func TestMain(m *testing.M) { os.Exit(setUp(m)) }

func setUp(m *testing.M) int {
	dir, err := os.MkdirTemp("", "usher-scale-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir) //nolint:errcheck // a temporary folder
	usher = filepath.Join(dir, "usher")
	if out, err := exec.Command("go", "build", "-o", usher, "usher/cmd/usher").CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "build usher: %v\n%s", err, out)
		return 1
	}
	return m.Run()
}

// site is one usher with its Envoy.
type site struct {
	b    *testing.B
	dir  string
	cmd  *exec.Cmd
	live chan time.Time // a save is
	said chan string    // the last line, when usher ends
}

// newSite starts usher on a file and waits until that is live.
func newSite(b *testing.B, text string) *site {
	b.Helper()
	s := &site{b: b, dir: b.TempDir(), live: make(chan time.Time, 100), said: make(chan string, 1)}
	s.save(text)
	envoy, err := filepath.Abs(filepath.Join("..", "..", ".tools", "envoy"))
	if err != nil {
		b.Fatal(err)
	}
	s.cmd = exec.Command(usher, "run", "--config", s.config(), "--envoy", envoy,
		"--xds", fmt.Sprintf("127.0.0.1:%d", freePort(b)), "--console", fmt.Sprintf("127.0.0.1:%d", freePort(b)))
	out, err := s.cmd.StderrPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := s.cmd.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(s.end)
	go s.read(out)
	s.wait()
	return s
}

// read notes when the log says that a save is live.
func (s *site) read(out io.Reader) {
	last := ""
	for lines := bufio.NewScanner(out); lines.Scan(); {
		last = lines.Text()
		if strings.Contains(last, "cluster.yaml is live") {
			s.live <- time.Now()
		}
	}
	s.said <- last
}

func (s *site) config() string { return filepath.Join(s.dir, "cluster.yaml") }

// save renames over the file, as an editor does.
func (s *site) save(text string) {
	s.b.Helper()
	if err := os.WriteFile(s.config()+"~", []byte(text), 0o600); err != nil {
		s.b.Fatal(err)
	}
	if err := os.Rename(s.config()+"~", s.config()); err != nil {
		s.b.Fatal(err)
	}
}

func (s *site) wait() time.Time {
	s.b.Helper()
	select {
	case at := <-s.live:
		return at
	case last := <-s.said:
		s.b.Fatalf("usher ended: %s", last)
	case <-time.After(patience):
		s.b.Fatalf("not live within %s", patience)
	}
	return time.Time{}
}

// end stops usher, and the Envoy that may outlive it.
func (s *site) end() {
	pid := s.envoy()
	_ = s.cmd.Process.Signal(syscall.SIGTERM)
	done := make(chan struct{})
	go func() { _ = s.cmd.Wait(); close(done) }()
	select {
	case <-done:
	case <-time.After(30 * time.Second):
		_ = s.cmd.Process.Kill()
	}
	if pid > 0 {
		_ = syscall.Kill(pid, syscall.SIGKILL)
	}
}

// envoy is the process id of the supervised one.
func (s *site) envoy() int {
	var id struct{ PID int }
	data, err := os.ReadFile(filepath.Join(s.dir, ".usher", "envoy.json"))
	if err != nil || json.Unmarshal(data, &id) != nil {
		return 0
	}
	return id.PID
}

func freePort(b *testing.B) uint16 {
	b.Helper()
	lis, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	defer lis.Close() //nolint:errcheck // nothing was accepted
	return portOf(lis)
}

func portOf(lis net.Listener) uint16 { return lis.Addr().(*net.TCPAddr).AddrPort().Port() }
