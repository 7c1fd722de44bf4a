//go:build compose

package compose

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestCompose brings the compose file up once. The promises share it, in this
// order, and each leaves the cluster file as it was.
func TestCompose(t *testing.T) {
	p := bringUp(t)
	u := p.newUser()
	until(t, "the first answer", func() bool { _, err := u.try(); return err == nil })
	for _, promise := range []struct {
		name string
		keep func(*project)
	}{
		{"a_session_stays_on_its_node", (*project).sessionsStay},
		{"usher_knows_how_the_nodes_are", (*project).figures},
		{"a_save_on_the_host_is_live", (*project).saveIsLive},
		{"a_faulty_save_changes_nothing", (*project).faultySave},
		{"nobody_runs_as_root", (*project).nobodyIsRoot},
		{"only_usher_and_envoy_hold_keys", (*project).whoHoldsKeys},
		{"only_clients_find_an_open_port", (*project).openPorts},
		{"a_stranger_gets_nothing_by_xds", (*project).strangers},
		{"usher_comes_back_with_the_same_authority", (*project).usherComesBack},
	} {
		t.Run(promise.name, func(t *testing.T) {
			inner := *p
			inner.t = t
			good := string(read(t, p.file()))
			defer inner.saveInPlace(good)
			promise.keep(&inner)
		})
	}
}

func (p *project) sessionsStay() {
	users, perNode := p.newUser().newSessions(20)
	if perNode["isNode1"] < 7 || perNode["isNode2"] < 7 { // each of Envoy's threads takes turns by itself
		p.t.Errorf("20 new sessions on two equal nodes: %v", perNode)
	}
	for range 10 {
		for u, node := range users {
			if got := u.ask(); got != node {
				p.t.Fatalf("a session of %s was answered by %s", node, got)
			}
		}
	}
}

// figures are those that Envoy shows usher from its own container.
func (p *project) figures() {
	until(p.t, "both nodes to be healthy with Envoy", func() bool {
		st, healthy := p.status(), 0
		for _, pool := range st.Pools {
			for _, n := range pool.Nodes {
				if n.Health == "healthy" {
					healthy++
				}
			}
		}
		return healthy == 2 && !strings.Contains(fmt.Sprint(st.Warnings), "figures")
	})
}

// saveIsLive drains a node by each of an editor's two ways of saving.
func (p *project) saveIsLive() {
	users, _ := p.newUser().newSessions(4)
	for _, save := range []func(string){p.saveInPlace, p.saveByRename} {
		good := string(read(p.t, p.file()))
		save(replaceOnce(p.t, good, "weight: 1, state: active", "weight: 1, state: drain"))
		took := until(p.t, "isNode2 to drain", func() bool {
			_, perNode := p.newUser().newSessions(4)
			return perNode["isNode1"] == 4
		})
		p.t.Logf("drained %v after the save", took)
		for u, node := range users {
			if got := u.ask(); got != node {
				p.t.Errorf("a session of %s moved to %s when isNode2 was drained", node, got)
			}
		}
		save(good)
		until(p.t, "isNode2 to take part again", func() bool {
			_, perNode := p.newUser().newSessions(4)
			return perNode["isNode2"] > 0
		})
	}
}

func (p *project) faultySave() {
	good := string(read(p.t, p.file()))
	users, _ := p.newUser().newSessions(4)
	p.saveInPlace(replaceOnce(p.t, good, "weight: 1, state: active", "weight: 0, state: active"))
	until(p.t, "usher status to name the fault", func() bool {
		st := p.status()
		return len(st.Problems) == 1 && st.Problems[0].Field == "pools[0].nodes[1].weight"
	})
	for u, node := range users {
		if got := u.ask(); got != node {
			p.t.Errorf("a session of %s was answered by %s", node, got)
		}
	}
	if health := p.inspect("usher", "{{.State.Health.Status}}"); health != "healthy" {
		p.t.Errorf("usher is %s while it serves the last good file", health)
	}
	p.saveInPlace(good)
	until(p.t, "the next good save", func() bool { st := p.status(); return st.Serving && len(st.Problems) == 0 })
}

func (p *project) nobodyIsRoot() {
	for _, service := range services {
		lines := strings.Split(p.docker("top", p.container(service), "-eo", "uid,pid,args"), "\n")
		for _, line := range lines[1:] {
			if uid := strings.Fields(line)[0]; uid != "65532" {
				p.t.Errorf("%s runs as %s: %s", service, uid, line)
			}
		}
		if len(lines) < 2 {
			p.t.Errorf("%s has no process", service)
		}
	}
}

var services = []string{"usher", "envoy", "node1", "node2"}

func (p *project) whoHoldsKeys() {
	keys := filesBelow(p.t, p.fetch("usher", "/state"))
	if !slices.Contains(keys, "internal/ca/ca.key") || !slices.Contains(keys, "ca/ca.key") {
		p.t.Errorf("usher's state holds no authority: %v", keys)
	}
	want := []string{"xds/bootstrap.yaml", "xds/ca.crt", "xds/client.crt", "xds/client.key"}
	if diff := cmp.Diff(want, filesBelow(p.t, p.fetch("envoy", "/state"))); diff != "" {
		p.t.Errorf("what Envoy sees of the state (-want +got):\n%s", diff)
	}
	const mounts = "{{range .Mounts}}{{.Destination}} {{.RW}}\n{{end}}"
	for service, want := range map[string]string{"envoy": "/state/xds false", "node1": "", "node2": ""} {
		if got := p.inspect(service, mounts); got != want {
			p.t.Errorf("mounts of %s: got %q, want %q", service, got, want)
		}
	}
}

func (p *project) openPorts() {
	for _, service := range services {
		got := p.inspect(service, "{{range $port, $at := .HostConfig.PortBindings}}{{$port}} {{end}}")
		if want := map[string]string{"envoy": "8443/tcp"}[service]; got != want {
			p.t.Errorf("%s publishes %q, want %q", service, got, want)
		}
	}
}

func (p *project) usherComesBack() {
	u := p.newUser()
	users, _ := u.newSessions(4)
	before := read(p.t, p.fetch("usher", "/state/internal/ca/ca.crt"))
	p.compose("stop", "--timeout", "5", "usher")
	for u, node := range users {
		if got := u.ask(); got != node {
			p.t.Errorf("without usher, a session of %s was answered by %s", node, got)
		}
	}
	p.compose("up", "-d", "usher")
	until(p.t, "usher to lead Envoy again", func() bool {
		said, err := p.run(p.words("exec", "-T", "usher", "/usher", "status", "--state", "/state"))
		return err == nil && strings.Contains(said, "by mutual TLS, connected") && strings.Contains(said, "ACK")
	})
	if diff := cmp.Diff(before, read(p.t, p.fetch("usher", "/state/internal/ca/ca.crt"))); diff != "" {
		p.t.Errorf("the internal authority changed (-before +after):\n%s", diff)
	}
	for u, node := range users {
		if got := u.ask(); got != node {
			p.t.Errorf("with usher back, a session of %s was answered by %s", node, got)
		}
	}
}

func (p *project) saveInPlace(text string) {
	if err := os.WriteFile(p.file(), []byte(text), 0o644); err != nil {
		p.t.Fatal(err)
	}
}

func (p *project) saveByRename(text string) {
	beside := p.file() + "~"
	if err := os.WriteFile(beside, []byte(text), 0o644); err != nil {
		p.t.Fatal(err)
	}
	if err := os.Rename(beside, p.file()); err != nil {
		p.t.Fatal(err)
	}
}

func replaceOnce(t *testing.T, text, old, with string) string {
	t.Helper()
	if n := strings.Count(text, old); n != 1 {
		t.Fatalf("%q is %d times in the cluster file", old, n)
	}
	return strings.Replace(text, old, with, 1)
}

// filesBelow lists regular files, relative and sorted.
func filesBelow(t *testing.T, dir string) (files []string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() {
			rel, _ := filepath.Rel(dir, path)
			files = append(files, rel)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}
