package e2e

import (
	"fmt"
	"net/http"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

func TestTheStatusSaysHowEachNodeStandsAndWhatItDoes(t *testing.T) {
	s := newSite(t, 3, file{state: map[string]string{"isNode3": "drain"}})
	s.stands("isNode1", "healthy", "")
	s.stands("isNode3", "draining", "nobody new comes")
	s.nodes[1].kill()
	s.stands("isNode2", "failing", "its check fails")
	s.nodes[1].again(t)
	s.stands("isNode2", "healthy", "")
	s.nodes[1].signal(syscall.SIGSTOP)
	s.stands("isNode2", "failing", "no answer in time")
	s.nodes[1].signal(syscall.SIGCONT)
	go s.get("/slow?ms=60000", "JSESSIONID=A.isNode1", patience)
	until(t, patience, "a request in flight", func() bool { return s.node("isNode1").Active == 1 })
	out, err := exec.Command(filepath.Join(bin, "usher"), "status", "--config", s.config()).CombinedOutput()
	if err != nil || !strings.Contains(string(out), "healthy  1 in flight") {
		t.Errorf("usher status: %v\n%s", err, out)
	}
}

func (s *site) node(name string) (found struct {
	Name, IP, State, Fault, Asks, Health, Reason string
	Active                                       int
}) {
	st, _ := s.status()
	for _, p := range st.Pools {
		for _, n := range p.Nodes {
			if n.Name == name {
				found = n
			}
		}
	}
	return found
}

func (s *site) stands(node, health, reason string) {
	s.t.Helper()
	until(s.t, patience, node+" to be "+health, func() bool {
		n := s.node(node)
		return n.Health == health && strings.Contains(n.Reason, reason) && (reason != "") == (n.Reason != "")
	})
}

func TestCountersOutliveARestartOfEnvoy(t *testing.T) {
	s := newSite(t, 2, file{})
	sticky := func() float64 {
		return s.metric(`usher_requests_total{node="isNode1",outcome="sticky",pool="identity"}`)
	}
	for range 5 {
		s.ask("/", "JSESSIONID=A.isNode1")
	}
	s.ask("/status/503", "JSESSIONID=A.isNode1")
	until(t, patience, "six requests", func() bool { return sticky() == 6 })
	until(t, patience, "their times", func() bool {
		return s.metric(`usher_envoy_request_duration_seconds_count{node="isNode1",pool="identity"}`) == 6
	})
	pid := s.envoyPID()
	_ = syscall.Kill(pid, syscall.SIGKILL)
	until(t, patience, "another Envoy", func() bool { return s.metric("usher_envoy_restarts_total") == 1 && listens(s.port) })
	until(t, patience, "it to be asked", func() bool { return s.metric("usher_envoy_up") == 1 })
	if n := sticky(); n != 6 {
		t.Errorf("%v requests after the restart", n)
	}
	s.ask("/", "JSESSIONID=A.isNode1")
	until(t, patience, "the seventh", func() bool { return sticky() == 7 })
	for name, want := range map[string]float64{
		`usher_envoy_responses_5xx_total{node="isNode1",pool="identity"}`:         1,
		`usher_reloads_total{result="accepted"}`:                                  1,
		`usher_save_accepted_seconds_count`:                                       1,
		`usher_node_state{node="isNode1",pool="identity",state="active"}`:         1,
		`usher_node_health{health="healthy",node="isNode1",pool="identity"}`:      1,
		fmt.Sprintf("usher_envoy_acked{envoy=%q}", "usher-"+filepath.Base(s.dir)): 1,
		"usher_file_served":   1,
		"usher_file_problems": 0,
	} {
		if n := s.metric(name); n != want {
			t.Errorf("%s is %v, not %v", name, n, want)
		}
	}
	s.save("pools: nonsense\n")
	until(t, patience, "the fault to be counted", func() bool {
		return s.metric(`usher_reloads_total{result="faulty"}`) == 1 && s.metric("usher_file_problems") > 0 && s.metric("usher_file_served") == 0
	})
}

func TestSessionsThatMoveAreCountedFromNodeToNode(t *testing.T) {
	fewAndMany(t, 2, file{}, func(t *testing.T, s *site) {
		s.nodes[1].kill()
		s.healthy(1)
		for range 3 {
			s.ask("/", "JSESSIONID=A.isNode2")
		}
		until(t, patience, "three moves", func() bool {
			return s.metric(`usher_sessions_moved_total{from="isNode2",pool="identity",to="isNode1"}`) == 3
		})
		client := http.Client{Timeout: time.Second}
		if _, err := client.Get(fmt.Sprintf("https://127.0.0.1:%d/", s.port)); err == nil { // its CA is not known
			t.Error("a stranger trusts us")
		}
		until(t, patience, "the broken handshake", func() bool {
			return s.metric(fmt.Sprintf(`usher_envoy_tls_handshake_errors_total{address="127.0.0.1:%d"}`, s.port)) > 0
		})
	})
}
