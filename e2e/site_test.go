package e2e

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// site is a whole installation: nodes, the file, usher, its Envoy.
type site struct {
	t       *testing.T
	dir     string
	port    int // where clients arrive
	xds     int
	console int
	nodes   []*stub
	usher   *process
	file    file
}

// file is what the tests change in a cluster.yaml.
type file struct {
	listener string            // further keys of the listener
	routes   []string          // before the one to everything
	pool     string            // keys of the pool but for its nodes
	state    map[string]string // by node; active when missing
	weight   map[string]string
	keys     map[string]string // further ones, by node
	nodes    []string          // full entries, in place of the stubs
	others   int               // disabled nodes beside the stubs, so that there are many
	more     string            // further text
	pools    string            // further pools
}

const stickyPool = "sticky: {jvm_route: JSESSIONID}, tls: {verify: none}"

// newSite starts n nodes, isNode1 to isNode<n>, and usher in front of them.
func newSite(t *testing.T, n int, f file) *site {
	t.Helper()
	s := newIdleSite(t, n, f)
	s.run()
	return s
}

// newIdleSite starts the nodes and writes the file; usher is not there yet.
func newIdleSite(t *testing.T, n int, f file) *site {
	t.Helper()
	s := &site{t: t, dir: t.TempDir(), port: freePort(t), xds: freePort(t), console: freePort(t), file: f}
	if s.file.pool == "" {
		s.file.pool = stickyPool
	}
	for i := range n {
		s.nodes = append(s.nodes, startStub(t, fmt.Sprintf("isNode%d", i+1)))
	}
	s.save(s.text(s.file))
	t.Cleanup(s.end)
	return s
}

func (s *site) config() string { return filepath.Join(s.dir, "cluster.yaml") }
func (s *site) state() string  { return filepath.Join(s.dir, ".usher") }

// run starts usher and waits until clients are served.
func (s *site) run(args ...string) {
	s.t.Helper()
	s.startUsher("run", args...)
	until(s.t, patience, "usher to serve", func() bool {
		st, ok := s.status()
		if s.ended() {
			s.t.Fatalf("usher ended:\n%s", s.usher.output())
		}
		return ok && st.Serving && (st.Accepted || len(st.Problems) > 0) && listens(s.port)
	})
}

func (s *site) startUsher(verb string, args ...string) {
	s.t.Helper()
	xds := fmt.Sprintf("127.0.0.1:%d", s.xds)
	all := append([]string{verb, "--config", s.config(), "--envoy", envoyPath(), "--xds", xds,
		"--console", fmt.Sprintf("127.0.0.1:%d", s.console)}, args...)
	s.usher = start(s.t, filepath.Join(bin, "usher"), all...)
}

func (s *site) ended() bool {
	select {
	case <-s.usher.done:
		return true
	default:
		return false
	}
}

// end stops usher and the Envoy that may have outlived it.
func (s *site) end() {
	if s.usher != nil {
		s.usher.end()
		if strings.Contains(s.usher.output(), "DATA RACE") {
			s.t.Error("usher has a data race")
		}
		if s.t.Failed() {
			s.t.Logf("usher said:\n%s", tail(s.usher.output(), 40))
		}
	}
	if pid := s.envoyPID(); pid > 0 {
		_ = syscall.Kill(pid, syscall.SIGKILL)
	}
}

// envoyPID is that of the supervised Envoy, 0 when it is gone.
func (s *site) envoyPID() int {
	data, err := os.ReadFile(filepath.Join(s.state(), "envoy.json"))
	var id struct{ PID int }
	if err != nil || json.Unmarshal(data, &id) != nil || syscall.Kill(id.PID, 0) != nil {
		return 0
	}
	exe, _ := os.Readlink(fmt.Sprintf("/proc/%d/exe", id.PID))
	if filepath.Base(exe) != "envoy" {
		return 0
	}
	return id.PID
}

// text writes a cluster.yaml in which listeners, pools and nodes stand on known
// lines.
func (s *site) text(f file) string {
	var b strings.Builder
	fmt.Fprintf(&b, "listeners:\n  - name: https\n    address: 127.0.0.1:%d\n    hosts: [localhost]\n    tls: {certificate: server}\n", s.port)
	if f.listener != "" {
		fmt.Fprintf(&b, "    %s\n", f.listener)
	}
	b.WriteString("    routes:\n")
	for _, r := range append(f.routes, "{path: /, pool: identity}") {
		fmt.Fprintf(&b, "      - %s\n", r)
	}
	fmt.Fprintf(&b, "%spools:\n%s  - name: identity\n", f.more, f.pools)
	between := ", "
	if strings.Contains(f.pool, "\n") {
		between = "\n" // where a key has a list
	}
	for key := range strings.SplitSeq(f.pool, between) {
		fmt.Fprintf(&b, "    %s\n", key)
	}
	b.WriteString("    nodes:\n")
	for _, n := range s.entries(f) {
		fmt.Fprintf(&b, "      - %s\n", n)
	}
	b.WriteString("certificates:\n  - {name: server, hosts: [localhost]}\n")
	return b.String()
}

func (s *site) entries(f file) []string {
	if f.nodes != nil {
		return f.nodes
	}
	var all []string
	for _, n := range s.nodes {
		entry := fmt.Sprintf("{name: %s, address: 127.0.0.1:%d", n.name, n.port)
		if st := f.state[n.name]; st != "" {
			entry += ", state: " + st
		}
		if w := f.weight[n.name]; w != "" {
			entry += ", weight: " + w
		}
		if k := f.keys[n.name]; k != "" {
			entry += ", " + k
		}
		all = append(all, entry+"}")
	}
	for i := range f.others {
		all = append(all, fmt.Sprintf("{name: other%d, address: 192.0.2.%d:%d, state: disabled}", i, i%250+1, 9443+i/250))
	}
	return all
}

// save replaces the file as an editor does, by renaming over it.
func (s *site) save(text string) {
	s.t.Helper()
	tmp := s.config() + "~"
	if err := os.WriteFile(tmp, []byte(text), 0o600); err != nil {
		s.t.Fatal(err)
	}
	if err := os.Rename(tmp, s.config()); err != nil {
		s.t.Fatal(err)
	}
}

// change saves another file and waits until every Envoy has it.
func (s *site) change(what string, edit func(*file)) time.Duration {
	s.t.Helper()
	before, _ := s.status()
	f := s.file
	edit(&f)
	s.save(s.text(f))
	took := until(s.t, patience, what+" to be live", func() bool {
		st, ok := s.status()
		if len(st.Problems) > 0 {
			s.t.Fatalf("%s: %+v", what, st.Problems)
		}
		return ok && st.Accepted && fmt.Sprint(st.Published) != fmt.Sprint(before.Published)
	})
	s.file = f
	return took
}

func (s *site) url(path string) string { return fmt.Sprintf("https://localhost:%d%s", s.port, path) }
