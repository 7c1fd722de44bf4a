package e2e

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
)

// entry is a line of the access log as JSON.
type entry struct {
	Path, Asked, Node, Why, Pool, Client, Flags string
	Status, Attempts                            int
	Upstream                                    *float64 `json:"upstream_ms"`
}

// logged waits for the line of a path.
func logged(t *testing.T, text func() string, path string) (e entry) {
	t.Helper()
	until(t, patience, "the line of "+path, func() bool {
		for line := range strings.Lines(text()) {
			e = entry{}
			if json.Unmarshal([]byte(line), &e) == nil && e.Path == path {
				return true
			}
		}
		return false
	})
	return e
}

func TestTheLogSaysWhatBecameOfASession(t *testing.T) {
	fewAndMany(t, 4, file{
		listener: "access_log: stdout",
		state:    map[string]string{"isNode4": "disabled"},
		routes: []string{
			"{path: /denied, deny: true}", "{path: /old, redirect: /new}", "{path: /re, pool: identity, rewrite: /written}",
			"{path: /machines, pool: identity, sticky: false}", "{path: /strict, pool: identity, on_failure: error}",
		},
	}, func(t *testing.T, s *site) {
		s.nodes[2].kill()
		s.healthy(2)
		for path, c := range map[string]struct{ cookie, asked, node, why string }{
			"/new":                         {"", "", "*", "new"},
			"/sticky":                      {"JSESSIONID=A.isNode2", "isNode2", "isNode2", "sticky"},
			"/path;jsessionid=A.isNode2":   {"", "isNode2", "isNode2", "sticky"},
			"/two":                         {"JSESSIONID=A; JSESSIONID=B.isNode2", "isNode2", "isNode2", "sticky"},
			"/failover":                    {"JSESSIONID=A.isNode3", "isNode3", "*", "failover"},
			"/unknown":                     {"JSESSIONID=A.isNode9", "isNode9", "*", "unknown-route"},
			"/pathless;jsessionid=A.other": {"", "other", "*", "unknown-route"},
			"/drained":                     {"JSESSIONID=A.isNode4", "isNode4", "*", "drained"},
			"/machines":                    {"JSESSIONID=A.isNode2", "", "*", "none"},
			"/denied":                      {"JSESSIONID=A.isNode2", "", "", ""},
			"/old/x?y":                     {"", "", "", ""},
			"/re/x?y":                      {"JSESSIONID=A.isNode2", "isNode2", "isNode2", "sticky"},
			"/strict":                      {"JSESSIONID=A.isNode3", "isNode3", "", ""},
		} {
			s.ask(path, c.cookie)
			e := logged(t, s.usher.output, path)
			if e.Asked != c.asked || e.Why != c.why || (c.node == "*") != (e.Node != c.node && e.Node != "") {
				t.Errorf("%s: asked %q, node %q, why %q; want %q, %q, %q", path, e.Asked, e.Node, e.Why, c.asked, c.node, c.why)
			}
			if e.Node != "" && (e.Pool != "identity" || e.Attempts < 1 || e.Upstream == nil || e.Client == "") {
				t.Errorf("%s: %+v", path, e)
			}
			if path == "/strict" && (e.Status != 503 || e.Flags == "-") {
				t.Errorf("%s: %+v", path, e)
			}
		}
		for _, c := range []struct {
			outcome string
			least   float64
		}{{"sticky", 4}, {"new", 1}, {"failover", 1}, {"unknown-route", 2}, {"drained", 1}, {"none", 1}, {"unserved", 1}} {
			total := 0.0
			for _, node := range []string{"", "isNode1", "isNode2"} {
				total += s.metric(fmt.Sprintf(`usher_requests_total{node=%q,outcome=%q,pool="identity"}`, node, c.outcome))
			}
			if total < c.least {
				t.Errorf("%v requests are counted as %s, at least %v were made", total, c.outcome, c.least)
			}
		}
	})
}

func TestTheLogAsHttpdHasItAndOpenedAnew(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "access.log")
	s := newSite(t, 1, file{listener: "access_log: {file: " + path + ", format: combined}"})
	read := func(name string) func() string {
		return func() string { data, _ := os.ReadFile(filepath.Join(dir, name)); return string(data) }
	}
	s.ask("/first?x=y", "JSESSIONID=A.isNode1")
	until(t, patience, "the first line", func() bool { return strings.Contains(read("access.log")(), "/first") })
	pattern := regexp.MustCompile(`^127\.0\.0\.1 - - \[\d\d/\w{3}/\d{4}:\d\d:\d\d:\d\d [+-]\d{4}\] "GET /first\?x=y HTTP/1\.1" 200 \d+ "-" "Go-http-client/1\.1" isNode1 isNode1 sticky 1 - \d+\n$`)
	if text := read("access.log")(); !pattern.MatchString(text) {
		t.Errorf("the line is %q", text)
	}
	if err := os.Rename(path, path+".1"); err != nil {
		t.Fatal(err)
	}
	s.usher.signal(syscall.SIGUSR1)
	until(t, patience, "a new file", func() bool { _, err := os.Stat(path); return err == nil })
	s.ask("/second", "")
	until(t, patience, "the second line", func() bool { return strings.Contains(read("access.log")(), "/second") })
	if strings.Contains(read("access.log.1")(), "/second") {
		t.Error("the second line went to the old file")
	}
}

func TestAnUnwritableLogIsAFaultAtItsLine(t *testing.T) {
	s := newSite(t, 1, file{})
	f := s.file
	f.listener = "access_log: /nonexistent/access.log"
	s.save(s.text(f))
	until(t, patience, "the problem", func() bool {
		st, _ := s.status()
		return len(st.Problems) == 1 && st.Problems[0].Line == 6 && strings.Contains(st.Problems[0].What, "/nonexistent/access.log")
	})
	s.always("isNode1", "/", "")
}

func TestWithoutLogAndMetricsNothingIsSaidOfRequests(t *testing.T) {
	s := newSite(t, 1, file{listener: "metrics: false"})
	s.always("isNode1", "/", "JSESSIONID=A.isNode1")
	dump := s.admin("/config_dump?resource=dynamic_listeners") + s.admin("/config_dump?resource=dynamic_route_configs")
	for _, word := range []string{"\"access_log\"", "\"pool\"", "CEL(", "filters.http.lua", "rbac", "stateful_session"} {
		if strings.Contains(dump, word) {
			t.Errorf("%s is in Envoy's configuration", word)
		}
	}
}
