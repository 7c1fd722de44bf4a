package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestOneNodeIsOneEndpointWhateverItsNameResolvesTo(t *testing.T) {
	s := newIdleSite(t, 2, file{})
	s.file.nodes = []string{
		fmt.Sprintf("{name: isNode1, address: localhost:%d}", s.nodes[0].port),
		"{name: isNode2, address: no-such-host.invalid:9443}",
	}
	s.save(s.text(s.file))
	s.run()
	s.always("isNode1", "/", "")
	if n := s.stat("cluster.identity.membership_total"); n != 1 {
		t.Errorf("%d endpoints", n)
	}
	st, _ := s.status()
	if nodes := st.Pools[0].Nodes; nodes[0].IP != "127.0.0.1" || nodes[1].Fault == "" || len(st.Warnings) != 2 {
		t.Errorf("nodes %+v, warnings %v", nodes, st.Warnings)
	}
}

// TestARestartWhileANameDoesNotResolveCutsNobody: Envoy serves on where usher
// crashed, and a name service that is away must not empty its pools. One name
// never resolves here; its address is the one an earlier run has kept.
func TestARestartWhileANameDoesNotResolveCutsNobody(t *testing.T) {
	s := newIdleSite(t, 2, file{})
	away, there := fmt.Sprintf("no-such-host.invalid:%d", s.nodes[0].port), fmt.Sprintf("localhost:%d", s.nodes[1].port)
	kept := filepath.Join(s.state(), "addresses.json")
	if err := os.MkdirAll(s.state(), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(kept, fmt.Appendf(nil, `{%q: "127.0.0.1"}`, away), 0o600); err != nil {
		t.Fatal(err)
	}
	s.file.nodes = []string{"{name: isNode1, address: " + away + "}", "{name: isNode2, address: " + there + "}"}
	s.save(s.text(s.file))
	s.run()
	until(t, patience, "both addresses to be kept", func() bool {
		data, _ := os.ReadFile(kept)
		return strings.Contains(string(data), away) && strings.Contains(string(data), there)
	})
	u := (&users{s: s, pause: 10 * time.Millisecond}).begin(10)
	before := s.updates()
	u.during(func() {
		s.usher.kill()
		s.run()
		until(t, patience, "Envoy to be back", func() bool {
			st, _ := s.status()
			return st.Accepted && len(st.Envoys) == 1
		})
	})
	u.mustNotFail(t)
	if w, n := u.wrong(), u.closed.Load(); w+int(n) > 0 || u.on("isNode1") == 0 {
		t.Errorf("%d requests on a wrong node, %d connections closed, %d users on isNode1", w, n, u.on("isNode1"))
	}
	if after := s.updates(); after != before {
		t.Errorf("pushed again: %+v, before %+v", after, before)
	}
	st, _ := s.status()
	if n := st.Pools[0].Nodes[0]; n.IP != "127.0.0.1" || n.Fault == "" || !strings.Contains(fmt.Sprint(st.Warnings), "the last known address stays") {
		t.Errorf("node %+v, warnings %v", n, st.Warnings)
	}
}
