package e2e

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"
)

func TestAKilledNodeFailsNobody(t *testing.T) {
	fewAndThousands(t, 3, file{}, func(t *testing.T, s *site) {
		u := (&users{s: s, pause: 50 * time.Millisecond}).begin(30)
		victims := u.on("isNode2")
		u.during(func() {
			time.Sleep(500 * time.Millisecond)
			s.nodes[1].kill()
			time.Sleep(2 * time.Second)
		})
		u.mustNotFail(t)
		moved := 0
		for _, x := range u.all {
			switch {
			case x.first == "isNode2" && x.moves != 1:
				t.Errorf("a user of the dead node moved %d times", x.moves)
			case x.first != "isNode2" && x.moves != 0:
				t.Errorf("a user of %s moved", x.first)
			}
			moved += x.moves
		}
		t.Logf("%d requests, %d users of the dead node, %d moves, slowest %s", u.requests.Load(), victims, moved, u.slowest)
		s.nodes[1].again(t)
		took := until(t, 5*time.Second, "the node to serve again", func() bool {
			node, _ := s.ask("/", "JSESSIONID=ABC.isNode2")
			return node == "isNode2"
		})
		t.Logf("serves again %s after its return", took)
		u.during(func() { time.Sleep(time.Second) })
		for _, x := range u.all {
			if x.first == "isNode2" && x.moves != 1 {
				t.Errorf("a user moved again after the node's return: %d moves", x.moves)
			}
		}
	})
}

// get asks for a page and does not mind what comes.
func (s *site) get(path, cookie string, limit time.Duration) {
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	req, _ := http.NewRequestWithContext(ctx, http.MethodGet, s.url(path), nil)
	req.Header.Set("Cookie", cookie)
	if resp, err := s.client(false, nil).Do(req); err == nil {
		_, _ = io.Copy(io.Discard, resp.Body)
		_ = resp.Body.Close()
	}
}

func TestOneResetAndOneTimeoutMoveNobody(t *testing.T) {
	fewAndThousands(t, 2, file{pool: stickyPool + ", try_timeout: 1s", routes: []string{"{path: /hang, pool: identity, timeout: 2s}"}}, func(t *testing.T, s *site) {
		u := (&users{s: s, pause: 20 * time.Millisecond}).begin(30)
		client := s.client(false, nil)
		post := func(path string) {
			req, _ := http.NewRequest(http.MethodPost, s.url(path), strings.NewReader("x"))
			req.Header.Set("Cookie", "JSESSIONID=ABC.isNode1")
			if resp, err := client.Do(req); err == nil {
				_ = resp.Body.Close()
			}
		}
		u.during(func() {
			time.Sleep(300 * time.Millisecond)
			post("/reset")
			s.get("/hang", "JSESSIONID=ABC.isNode1", 5*time.Second)
			time.Sleep(500 * time.Millisecond)
		})
		u.mustNotFail(t)
		if w := u.wrong(); w > 0 {
			t.Errorf("%d requests on another node", w)
		}
	})
}

func TestAHungNodesUsersMoveWithinThreeSeconds(t *testing.T) {
	fewAndThousands(t, 2, file{}, func(t *testing.T, s *site) {
		u := (&users{s: s, pause: 50 * time.Millisecond, timeout: 10 * time.Second}).begin(40)
		u.during(func() {
			time.Sleep(300 * time.Millisecond)
			s.nodes[1].signal(syscall.SIGSTOP)
			defer s.nodes[1].signal(syscall.SIGCONT)
			time.Sleep(3 * time.Second)
			for range 5 {
				if node, _ := s.ask("/", "JSESSIONID=ABC.isNode2"); node != "isNode1" {
					t.Errorf("after 3 s a request went to %q", node)
				}
			}
		})
		if allowed := int(u.requests.Load()) / 200; len(u.failed) > allowed {
			t.Errorf("%d of %d requests failed: %v", len(u.failed), u.requests.Load(), u.failed[0])
		}
	})
}

func TestWithATryTimeoutRequestsInFlightMoveToo(t *testing.T) {
	fewAndThousands(t, 2, file{pool: stickyPool + ", try_timeout: 3s"}, func(t *testing.T, s *site) {
		u := (&users{s: s, pause: 50 * time.Millisecond, timeout: 20 * time.Second}).begin(40)
		u.during(func() {
			time.Sleep(300 * time.Millisecond)
			s.nodes[1].signal(syscall.SIGSTOP)
			defer s.nodes[1].signal(syscall.SIGCONT)
			time.Sleep(5 * time.Second)
		})
		u.mustNotFail(t)
		t.Logf("%d requests, slowest %s", u.requests.Load(), u.slowest)
		if u.slowest > 4*time.Second {
			t.Errorf("the slowest answer took %s", u.slowest)
		}
	})
}

func TestAPostIsNeverSentTwice(t *testing.T) {
	s := newSite(t, 2, file{})
	before := requestsOf(t, s)
	req, _ := http.NewRequest(http.MethodPost, s.url("/reset"), strings.NewReader("x"))
	resp, err := s.client(false, nil).Do(req)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	if resp.StatusCode != http.StatusServiceUnavailable && resp.StatusCode != http.StatusBadGateway {
		t.Errorf("status %d", resp.StatusCode)
	}
	if n := requestsOf(t, s) - before; n != 1 {
		t.Errorf("the nodes saw the POST %d times", n)
	}
}

// requestsOf counts what all nodes have seen, without the questions after it.
func requestsOf(t *testing.T, s *site) (total int) {
	t.Helper()
	for _, n := range s.nodes {
		n.asked++
		total += n.requests(t) - n.asked
	}
	return total
}

// requests asks a node itself.
func (n *stub) requests(t *testing.T) int {
	t.Helper()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true,
		TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}} //nolint:gosec // a stub on loopback
	resp, err := client.Get(fmt.Sprintf("https://127.0.0.1:%d/stats", n.port))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close() //nolint:errcheck // read only
	var seen struct{ Requests int }
	if err := json.NewDecoder(resp.Body).Decode(&seen); err != nil {
		t.Fatal(err)
	}
	return seen.Requests
}
