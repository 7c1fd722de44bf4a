package e2e

import (
	"fmt"
	"strings"
	"testing"
)

// drifting are nodes of which one has another's jvmRoute, and one none.
func drifting(t *testing.T) (f file) {
	f.pool = stickyPool
	for _, n := range []struct{ name, route string }{{"isNode1", "isNode1"}, {"isNode2", "isNode3"}, {"isNode4", ""}} {
		stub := startStub(t, n.route)
		f.nodes = append(f.nodes, fmt.Sprintf("{name: %s, address: 127.0.0.1:%d}", n.name, stub.port))
	}
	return f
}

func TestANodeWithTheWrongNameIsTold(t *testing.T) {
	s := newSite(t, 0, drifting(t))
	const moved, none = `pool identity, node isNode2: its sessions end in "isNode3", so that they are sent elsewhere: start it with -DjvmRoute=isNode2, or give it that name in the file`,
		"pool identity, node isNode4: its sessions name no node: start it with -DjvmRoute=isNode4"
	until(t, patience, "the warnings", func() bool {
		st, _ := s.status()
		said := strings.Join(st.Warnings, "\n")
		return strings.Contains(said, moved) && strings.Contains(said, none)
	})
	if st, _ := s.status(); strings.Contains(strings.Join(st.Warnings, "\n"), "node isNode1") {
		t.Errorf("a node with the right name: %q", st.Warnings)
	}
	out, code := s.usherCLI("check", "--live", s.config(), "--envoy", envoyPath())
	for _, want := range []string{
		"    session: JSESSIONID of / ends in isNode1, as it should\n    clock: the same\n",
		"    session: JSESSIONID of / fails: its sessions end in \"isNode3\", so that they are sent elsewhere\n",
		"    session: JSESSIONID of / fails: its sessions name no node\n",
		"2 of 3 nodes fail as the file has them",
	} {
		if code != 1 || !strings.Contains(out, want) {
			t.Errorf("exit %d, %q is not said:\n%s", code, want, out)
		}
	}
	s.file.pool = "sticky: {jvm_route: JSESSIONID, session_path: off}\ntls: {verify: none}"
	s.save(s.text(s.file))
	until(t, patience, "nobody to be asked any more", func() bool {
		st, _ := s.status()
		return !strings.Contains(strings.Join(st.Warnings, "\n"), "its sessions")
	})
}
