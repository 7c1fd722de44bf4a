//go:build tomcat

package tomcat

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// site is two Tomcats, usher and its Envoy in front of them, and the file.
type site struct {
	t       *testing.T
	dir     string
	bin     string
	nodes   []*node
	fronts  []*front
	usher   *process
	xds     int
	console int
}

// front is a listener with a pool of its own: the same nodes, reached and told in
// another way.
type front struct {
	name string
	app  string          // what it is asked for
	pool string          // its keys but for name and nodes
	at   func(*node) int // the connector
	port int             // where clients arrive
}

func (f *front) url(path string) string { return fmt.Sprintf("https://localhost:%d%s", f.port, path) }

// fronts are the ways in which a Tomcat comes to redirect to an address that its
// clients know: it has the right one by itself, usher maps what it says, or it has
// been told, by headers or by the file.
func fronts(ports []int) []*front {
	plain, told, tls := func(n *node) int { return n.plain }, func(n *node) int { return n.told }, func(n *node) int { return n.tls }
	all := []*front{
		{name: "encrypted", app: "/shop/", at: tls, pool: "tls: {}, reverse: {}"},
		{name: "encrypted, by the node's name", app: "/shop/", at: tls, pool: "tls: {server_name: localhost}, host: node, reverse: {}"},
		{name: "plain, by the node's name", app: "/shop/", at: plain, pool: "host: node, reverse: {}"},
		{name: "plain, told by X-Forwarded", app: "/told/", at: plain, pool: "host: keep"},
		{name: "plain, told its proxyName", app: "/shop/", at: told, pool: "host: keep"},
	}
	for i, f := range all {
		f.port = ports[i]
	}
	return all
}

// newSite starts all and waits until every front serves.
func newSite(t *testing.T, bin string) *site {
	t.Helper()
	ports := freePorts(t, 13)
	s := &site{t: t, dir: t.TempDir(), bin: bin, xds: ports[0], console: ports[1], fronts: fronts(ports[8:])}
	t.Cleanup(s.end)
	for i, name := range []string{"isNode1", "isNode2"} {
		base := filepath.Join(s.dir, name)
		n := newNode(t, name, base, ports[2+3*i:5+3*i], s.fronts[4].port)
		s.nodes = append(s.nodes, n)
		s.certify(filepath.Join(base, "node"))
		n.start(t)
	}
	for _, n := range s.nodes {
		n.ready(t)
	}
	s.save(nil)
	s.usher = start(t, nil, filepath.Join(bin, "usher"), "run", "--config", s.config(), "--envoy", envoyPath(),
		"--xds", fmt.Sprintf("127.0.0.1:%d", s.xds), "--console", fmt.Sprintf("127.0.0.1:%d", s.console))
	s.live("the first file")
	return s
}

func (s *site) config() string { return filepath.Join(s.dir, "cluster.yaml") }
func (s *site) state() string  { return filepath.Join(s.dir, ".usher") }

// certify issues a certificate by usher's own CA, which the pools verify.
func (s *site) certify(out string) {
	s.t.Helper()
	args := [][]string{{"cert", "issue", "localhost", "--out", out, "--config", s.config()}}
	if _, err := os.Stat(s.state()); err != nil {
		args = append([][]string{{"ca", "init", "--config", s.config()}}, args...)
	}
	for _, a := range args {
		if said, err := exec.Command(filepath.Join(s.bin, "usher"), a...).CombinedOutput(); err != nil {
			s.t.Fatalf("usher %s: %v\n%s", strings.Join(a, " "), err, said)
		}
	}
}

// save writes the file, with states for some nodes.
func (s *site) save(states map[string]string) {
	s.t.Helper()
	var listeners, pools strings.Builder
	for i, f := range s.fronts {
		fmt.Fprintf(&listeners, "  - {name: l%d, address: '127.0.0.1:%d', hosts: [localhost], tls: {}, routes: [{path: /, pool: p%[1]d}]}\n", i, f.port)
		fmt.Fprintf(&pools, "  - {name: p%d, sticky: {jvm_route: JSESSIONID}, %s, nodes: [", i, f.pool)
		for j, n := range s.nodes {
			state := states[n.name]
			if state == "" {
				state = "active"
			}
			fmt.Fprintf(&pools, "%s{name: %s, address: 'localhost:%d', state: %s}", strings.Repeat(", ", min(j, 1)), n.name, f.at(n), state)
		}
		pools.WriteString("]}\n")
	}
	beside := s.config() + "~"
	must(s.t, os.WriteFile(beside, []byte("listeners:\n"+listeners.String()+"pools:\n"+pools.String()), 0o600))
	must(s.t, os.Rename(beside, s.config()))
}

// status is what the promises look at in /status.json.
type status struct {
	Accepted  bool
	Problems  []struct{ Field, What string }
	Published map[string]string
}

func (s *site) status() (st status) {
	resp, err := http.Get(fmt.Sprintf("http://127.0.0.1:%d/status.json", s.console))
	if err != nil {
		return st
	}
	defer resp.Body.Close() //nolint:errcheck // read only
	_ = json.NewDecoder(resp.Body).Decode(&st)
	return st
}

// live waits until the file is what Envoy has.
func (s *site) live(what string) {
	s.t.Helper()
	until(s.t, what+" to be live", func() bool {
		st := s.status()
		if s.usher.ended() || len(st.Problems) > 0 {
			s.t.Fatalf("%+v\n%s", st.Problems, s.usher.last(20))
		}
		for _, f := range s.fronts {
			if !listens(f.port) {
				return false
			}
		}
		return st.Accepted
	})
}

// change saves the file with other states and waits until they are live.
func (s *site) change(states map[string]string) {
	s.t.Helper()
	before := s.status()
	s.save(states)
	until(s.t, "the change to be published", func() bool { return fmt.Sprint(s.status().Published) != fmt.Sprint(before.Published) })
	s.live("the change")
}

// end stops usher, the Envoy that may have outlived it, and the nodes.
func (s *site) end() {
	if s.usher != nil {
		s.usher.end()
		if strings.Contains(s.usher.output(), "DATA RACE") {
			s.t.Error("usher has a data race")
		}
		if s.t.Failed() {
			s.t.Logf("usher said:\n%s", s.usher.last(40))
		}
	}
	if pid := s.envoyPID(); pid > 0 {
		_ = syscall.Kill(pid, syscall.SIGKILL)
	}
	for _, n := range s.nodes {
		n.stop(s.t)
	}
}

// envoyPID is that of the supervised Envoy, 0 when it is gone.
func (s *site) envoyPID() int {
	data, err := os.ReadFile(filepath.Join(s.state(), "envoy.json"))
	var id struct{ PID int }
	if err != nil || json.Unmarshal(data, &id) != nil {
		return 0
	}
	if exe, _ := os.Readlink(fmt.Sprintf("/proc/%d/exe", id.PID)); filepath.Base(exe) != "envoy" {
		return 0
	}
	return id.PID
}
