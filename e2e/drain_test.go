package e2e

import (
	"bytes"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// longVerb is a verb of usher that runs for a while.
func (s *site) longVerb(args ...string) *process {
	s.t.Helper()
	p := start(s.t, filepath.Join(bin, "usher"), append(args, "--config", s.config())...)
	s.t.Cleanup(p.kill)
	return p
}

// holders are clients with a session each, who ask again and again until they are
// told to stop; what goes wrong is counted.
type holders struct {
	lost, elsewhere atomic.Int64
	stop            chan struct{}
	ended           chan struct{}
}

func (s *site) hold(n int, node string, pause time.Duration) *holders {
	h := &holders{stop: make(chan struct{}), ended: make(chan struct{})}
	client := s.client(true, nil)
	go func() {
		defer close(h.ended)
		for i := 0; ; i++ {
			select {
			case <-h.stop:
				return
			case <-time.After(pause / time.Duration(n)):
			}
			req, _ := http.NewRequest(http.MethodGet, s.url("/"), nil)
			req.Header.Set("Cookie", fmt.Sprintf("JSESSIONID=S%d.%s", i%n, node))
			resp, err := client.Do(req)
			switch {
			case err != nil || resp.StatusCode != http.StatusOK:
				h.lost.Add(1)
			case resp.Header.Get("X-Node") != node:
				h.elsewhere.Add(1)
			}
			if err == nil {
				_ = resp.Body.Close()
			}
		}
	}()
	return h
}

func TestADrainEndsWhenTheLastSessionIsIdle(t *testing.T) {
	s := newSite(t, 2, file{})
	h := s.hold(500, "isNode1", 2*time.Second)
	drain := s.longVerb("node", "drain", "isNode1", "--wait", "--idle", "3s")
	until(t, patience, "the drain", func() bool { return strings.Contains(drain.output(), " in flight, ") })
	for range 50 {
		if node, _ := s.ask("/", ""); node != "isNode2" {
			t.Fatalf("somebody new came to %s", node)
		}
	}
	s.usher.kill() // in the middle
	s.run()
	time.Sleep(4 * time.Second) // longer than --idle
	if drain.over() {
		t.Fatalf("the drain has ended while sessions were in use:\n%s", drain.output())
	}
	close(h.stop)
	<-h.ended
	until(t, 2*patience, "the end of the drain", drain.over)
	if said := drain.output(); !strings.Contains(said, "isNode1 idle for 3s: the work may start") {
		t.Errorf("it said\n%s", said)
	}
	if h.lost.Load()+h.elsewhere.Load() > 0 {
		t.Errorf("%d requests failed, %d went elsewhere", h.lost.Load(), h.elsewhere.Load())
	}
	out, code := s.usherCLI("node", "drain", "isNode1", "--wait", "--idle", "1s", "--config", s.config())
	if code != 0 || !strings.Contains(out, "the file says so already") || !strings.Contains(out, "the work may start") {
		t.Errorf("once more: exit %d\n%s", code, out)
	}
}

func TestADrainThatIsEndedByOthersSaysSo(t *testing.T) {
	s := newSite(t, 2, file{})
	drain := s.longVerb("node", "drain", "isNode1", "--wait", "--idle", "1h")
	until(t, patience, "the drain", func() bool { return strings.Contains(drain.output(), "waiting: ") })
	if out, code := s.usherCLI("node", "enable", "isNode1", "--config", s.config()); code != 0 {
		t.Fatal(out)
	}
	until(t, patience, "its end", drain.over)
	if said := drain.output(); !strings.Contains(said, "isNode1 is active again") {
		t.Errorf("it said\n%s", said)
	}
	out, code := s.usherCLI("node", "drain", "isNode1", "--wait", "--idle", "1h", "--deadline", "1s", "--config", s.config())
	if code != 1 || !strings.Contains(out, "still in use after 1s") {
		t.Errorf("beyond the deadline: exit %d\n%s", code, out)
	}
}

func TestARolloutGoesNodeByNode(t *testing.T) {
	s := newSite(t, 2, file{state: map[string]string{"isNode2": "standby"}})
	before, err := os.ReadFile(s.config())
	if err != nil {
		t.Fatal(err)
	}
	log := filepath.Join(s.dir, "log")
	out, code := s.usherCLI("rollout", "--idle", "500ms", "--command", `echo "$USHER_POOL $USHER_NODE $USHER_ADDRESS" >> `+log, "--config", s.config())
	want := fmt.Sprintf("identity isNode1 127.0.0.1:%d\nidentity isNode2 127.0.0.1:%d\n", s.nodes[0].port, s.nodes[1].port)
	if did, _ := os.ReadFile(log); code != 0 || string(did) != want || !strings.Contains(out, "done: 2 nodes") {
		t.Errorf("exit %d, did\n%s\n%s", code, did, out)
	}
	after, _ := os.ReadFile(s.config())
	if sense := bytes.ReplaceAll(after, []byte(", state: active"), nil); !bytes.Equal(sense, before) {
		t.Errorf("the file is\n%s", after)
	}
	out, code = s.usherCLI("rollout", "isNode1", "--idle", "500ms", "--command", "exit 3", "--config", s.config())
	if code != 1 || !strings.Contains(out, "isNode1: the command failed, and the node goes on draining") {
		t.Errorf("exit %d\n%s", code, out)
	}
	out, code = s.usherCLI("rollout", "isNode2", "--idle", "500ms", "--command", "true", "--config", s.config())
	if code != 1 || !strings.Contains(out, "no other node of pool identity would take new sessions") {
		t.Errorf("the last one: exit %d\n%s", code, out)
	}
}

func (p *process) over() bool {
	select {
	case <-p.done:
		return true
	default:
		return false
	}
}
