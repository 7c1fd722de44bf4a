package e2e

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// explained is what `usher explain --json` says.
type explained struct {
	Status  int
	Outcome string
	Nodes   []string
	Steps   []string
}

// explain asks the verb every tenth time, and else what the verb asks.
func (s *site) explain(nth int, target, cookie string) (e explained) {
	s.t.Helper()
	if nth%10 == 0 {
		out, _ := s.usherCLI("explain", s.url(target), "--json", "--config", s.config(), "--cookie", cookie)
		if err := json.Unmarshal([]byte(out), &e); err != nil {
			s.t.Fatalf("%v: %s", err, out)
		}
		return e
	}
	question, _ := json.Marshal(map[string]any{"url": s.url(target), "headers": map[string][]string{"Cookie": {cookie}}})
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true, DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "unix", filepath.Join(s.state(), "usher.sock"))
	}}}
	resp, err := client.Post("http://usher/api/v1/explain", "application/json", bytes.NewReader(question))
	if err != nil {
		s.t.Fatal(err)
	}
	defer resp.Body.Close() //nolint:errcheck // read only
	if err := json.NewDecoder(resp.Body).Decode(&e); err != nil {
		s.t.Fatal(err)
	}
	return e
}

// asIs asks with a target and a cookie just as they are.
func (s *site) asIs(target, cookie string) *http.Response {
	s.t.Helper()
	conn, err := tls.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", s.port), &tls.Config{RootCAs: s.roots(), ServerName: "localhost"})
	if err != nil {
		s.t.Fatal(err)
	}
	defer conn.Close() //nolint:errcheck // read only
	text := "GET " + target + " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
	if cookie != "" {
		text += "Cookie: " + cookie + "\r\n"
	}
	if _, err := conn.Write([]byte(text + "\r\n")); err != nil {
		s.t.Fatal(err)
	}
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		s.t.Fatalf("%s: %v", target, err)
	}
	_ = resp.Body.Close()
	return resp
}

// mixed is a random path and cookie out of what clients and attackers send.
func mixed(random *rand.Rand, id string) (target, cookie string) {
	pick := func(all ...string) string { return all[random.IntN(len(all))] }
	node := func() string {
		return pick("isNode1", "isNode2", "isNode3", "isNode4", "isNode5", "other", "isnode1", "@active", "")
	}
	for range 1 + random.IntN(3) {
		target += pick("/", "//", "/./", "/../", `\`, "/%2e%2e/", "/;/") + pick("app", "denied", "strict", "machines", "old", "den%69ed", "", "x%2fy", "app;a=b", "denied;x", "caf%C3%A9", "caf%c3%a9", "caf\xc3\xa9", "%24x", "$x", "(y)|z", "%28y%29%7cz", "a+b")
	}
	if random.IntN(3) == 0 {
		target += ";jsessionid=" + pick("A", "A.", "A.x.") + node()
	}
	if random.IntN(3) == 0 {
		target += "?q=1;jsessionid=A." + node()
	}
	target += map[bool]string{true: "&", false: "?"}[strings.Contains(target, "?")] + "case=" + id
	for range random.IntN(3) {
		cookie += pick("", "x=1; ", "JSESSIONIDX=1.isNode2; ") + pick("JSESSIONID", "JSESSIONID", "jsessionid") + "=" + pick("A.", "A", ".", `"B.`, "A.b.") + node() + pick("; ", `"; `, ";")
	}
	if !strings.HasPrefix(target, "/") {
		target = "/" + target
	}
	return target, strings.TrimRight(cookie, "; ")
}

func TestExplainAgreesWithEnvoy(t *testing.T) {
	fewAndMany(t, 5, file{
		listener: "access_log: stdout",
		state:    map[string]string{"isNode3": "drain", "isNode4": "standby", "isNode5": "disabled"},
		routes: []string{
			"{path: /denied, deny: true}", "{path: /café, deny: true}", "{path: /$x, deny: true}", "{path: '/(y)|z', deny: true}", "{path: /old, redirect: /new}", "{path: /machines, pool: identity, sticky: false}",
			"{path: /strict, pool: identity, on_failure: error}", `{regex: "/a[+]b/.*", pool: identity, rewrite: /ab}`,
		},
	}, func(t *testing.T, s *site) {
		random := rand.New(rand.NewPCG(1, 2))
		outcomes := map[string]string{}
		for round := range 2 {
			for i := range 75 {
				id := fmt.Sprintf("%d-%d.", round, i)
				target, cookie := mixed(random, id)
				if outcome := s.mustAgree(i, id, target, cookie); outcome != "" {
					outcomes[id] = outcome
				}
			}
			s.nodes[1].kill() // for the second round
			s.healthy(3)
		}
		s.mustLog(outcomes)
	})
}

// mustAgree puts a request to both, and says what becomes of its session.
func (s *site) mustAgree(nth int, id, target, cookie string) (outcome string) {
	s.t.Helper()
	said, resp := s.explain(nth, target, cookie), s.asIs(target, cookie)
	node := resp.Header.Get("X-Node")
	fits := said.Status == resp.StatusCode && node == "" || said.Status == 0 && slices.Contains(said.Nodes, node)
	if !fits {
		s.t.Errorf("%s: %s with %q: Envoy says %d by %q, explain:\n%s", id, target, cookie, resp.StatusCode, node, strings.Join(said.Steps, "\n"))
	}
	if said.Status != 0 {
		return ""
	}
	return said.Outcome
}

// mustLog holds the outcomes that were explained against those in the log, by id.
func (s *site) mustLog(want map[string]string) {
	s.t.Helper()
	got := map[string]string{}
	until(s.t, patience, "the lines of all requests", func() bool {
		for line := range strings.Lines(s.usher.output()) {
			var e entry
			if _, rest, ok := strings.Cut(line, "case="); ok && json.Unmarshal([]byte(line), &e) == nil {
				if id, _, _ := strings.Cut(rest, `"`); want[id] != "" {
					got[id] = e.Why
				}
			}
		}
		return len(got) >= len(want)
	})
	for id, outcome := range want {
		if got[id] != outcome {
			s.t.Errorf("%s: the log says %q, explain %q", id, got[id], outcome)
		}
	}
}
