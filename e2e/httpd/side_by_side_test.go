//go:build httpd

package httpd

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/tools/txtar"
)

// Each file of testdata is a site: a piece of httpd's configuration, the cluster
// file that stands for it, and the requests that are put to both, a line each:
//
//	[N times|N shared] METHOD PATH [HTTP/1.0] [| Header: value]…
//
// Outcomes must be equal: status, node, the headers that name places, cookies, and
// what the node has seen of the request: path, Host, and the headers that a line
// `sees HEADER…` names. Of a request that is made several times the nodes are a
// set; of one that is shared, their shares must be alike. A line `differs REASON` says that the next one must differ, and why: the
// README lists these reasons. `stop NODE`, `start NODE`, `fail NODE` and `heal NODE`, whose
// answer to the health check is a 503 meanwhile, and `settle NODE…`, which
// waits until both send new sessions to just these nodes, stand between them.
func TestSideBySide(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatal("no test data", err)
	}
	reasons, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	total, different := 0, map[string]bool{}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			s := newSite(t, file)
			total += s.all(t, different)
		})
	}
	for reason := range different {
		if !strings.Contains(strings.Join(strings.Fields(string(reasons)), " "), reason) {
			t.Errorf("the README does not list this difference: %s", reason)
		}
	}
	if total < 120 {
		t.Errorf("%d requests were compared, at least 120 should be", total)
	}
	t.Logf("%d requests compared, %d kinds of differences", total, len(different))
}

// site is both balancers in front of the same nodes.
type site struct {
	nodes    map[string]*node
	httpd    balancer
	usher    balancer
	requests []string
	sees     []string
}

func newSite(t *testing.T, file string) *site {
	t.Helper()
	archive, err := txtar.ParseFile(file)
	if err != nil {
		t.Fatal(err)
	}
	s := &site{nodes: map[string]*node{}}
	text := map[string]string{}
	for _, f := range archive.Files {
		text[f.Name] = string(f.Data)
	}
	for i := range 4 {
		n := newNode(t, fmt.Sprintf("isNode%d", i+1))
		s.nodes[n.name] = n
		for name := range text {
			text[name] = strings.ReplaceAll(text[name], fmt.Sprintf("$NODE%d", i+1), "localhost:"+n.port())
		}
	}
	s.requests = strings.Split(text["requests"], "\n")
	s.httpd = startHTTPD(t, text["httpd.conf"])
	s.usher = startUsher(t, text["cluster.yaml"])
	return s
}

// all puts the requests to both, and returns how many were compared.
func (s *site) all(t *testing.T, different map[string]bool) (compared int) {
	t.Helper()
	reason := ""
	for i, line := range s.requests {
		word, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
		switch word {
		case "", "#":
		case "stop":
			s.nodes[rest].stop()
		case "start":
			s.nodes[rest].start(t)
		case "fail", "heal":
			s.nodes[rest].ill.Store(word == "fail")
		case "sees":
			s.sees = strings.Fields(rest)
		case "settle":
			s.settle(t, strings.Fields(rest))
		case "differs":
			reason = rest
		default:
			compared++
			s.compare(t, i+1, strings.TrimSpace(line), reason)
			if reason != "" {
				different[reason] = true
			}
			reason = ""
		}
	}
	return compared
}

func (s *site) compare(t *testing.T, number int, line, reason string) {
	t.Helper()
	if count, text, shared := strings.Cut(line, " shared "); shared {
		s.share(t, count, text)
		return
	}
	h, u := s.outcome(t, s.httpd, line), s.outcome(t, s.usher, line)
	switch {
	case reason == "" && h != u:
		t.Errorf("line %d: %s\nhttpd:\n%s\nusher:\n%s", number, line, h, u)
	case reason != "" && h == u:
		t.Errorf("line %d: %s\nshould differ (%s), and both say:\n%s", number, line, reason, h)
	case reason != "":
		t.Logf("line %d: %s (%s)\nhttpd:\n%s\nusher:\n%s", number, line, reason, h, u)
	}
}

// outcome is what becomes of a line.
func (s *site) outcome(t *testing.T, b balancer, line string) string {
	t.Helper()
	count, text, many := strings.Cut(line, " times ")
	n, err := strconv.Atoi(count)
	if !many || err != nil {
		return s.ask(t, b, line)
	}
	all := map[string]bool{}
	for range n {
		all[s.ask(t, b, text)] = true
	}
	return strings.Join(slices.Sorted(maps.Keys(all)), "or\n")
}

// share compares the nodes' shares of many requests, which may be apart by 5 of 100.
func (s *site) share(t *testing.T, count, line string) {
	t.Helper()
	n, err := strconv.Atoi(count)
	if err != nil {
		t.Fatal(err)
	}
	of := map[string][2]int{}
	for i, b := range []balancer{s.httpd, s.usher} {
		for range n {
			name := s.node(t, b, line)
			both := of[name]
			both[i]++
			of[name] = both
		}
	}
	for name, both := range of {
		if apart := both[0] - both[1]; apart*20 > n || apart*20 < -n {
			t.Errorf("%s: of %d, %s got %d from httpd and %d from usher", line, n, name, both[0], both[1])
		}
	}
}

// settle waits until new sessions go to these nodes alone.
func (s *site) settle(t *testing.T, want []string) {
	t.Helper()
	for _, b := range []balancer{s.httpd, s.usher} {
		began := time.Now()
		for {
			got := map[string]bool{}
			for range 12 {
				got[s.node(t, b, "GET /")] = true
			}
			if slices.Equal(slices.Sorted(maps.Keys(got)), want) {
				break
			}
			if time.Since(began) > patience {
				t.Fatalf("%s: waited in vain for new sessions on %v alone, they go to %v", b.name, want, got)
			}
		}
	}
}

func (s *site) node(t *testing.T, b balancer, line string) string {
	t.Helper()
	resp, _ := request(t, b, line)
	return resp.Header.Get("X-Node")
}

// places are headers of an answer that say where something is.
var places = []string{"Location", "Content-Location", "Uri", "Destination"}

func (s *site) ask(t *testing.T, b balancer, line string) string {
	t.Helper()
	resp, body := request(t, b, line)
	var out strings.Builder
	fmt.Fprintf(&out, "  status %d, node %s\n", resp.StatusCode, resp.Header.Get("X-Node"))
	for _, name := range places {
		if v := resp.Header.Get(name); v != "" {
			fmt.Fprintf(&out, "  %s: %s\n", name, s.normal(b, v))
		}
	}
	for _, c := range resp.Header["Set-Cookie"] {
		fmt.Fprintf(&out, "  Set-Cookie: %s\n", s.normal(b, cookie(c)))
	}
	var what seen
	if json.Unmarshal(body, &what) == nil && what.Node != "" {
		fmt.Fprintf(&out, "  the node saw %s %s of %s, %d bytes\n", what.Method, what.Path, s.normal(b, what.Host), what.Body)
		for _, name := range s.sees {
			fmt.Fprintf(&out, "    %s: %s\n", name, s.normal(b, strings.Join(what.Header[http.CanonicalHeaderKey(name)], " and ")))
		}
	}
	return out.String()
}

// cookie is one with its attributes in order and in one spelling.
func cookie(s string) string {
	parts := strings.Split(s, ";")
	for i := range parts {
		parts[i] = strings.TrimSpace(parts[i])
		if name, value, ok := strings.Cut(parts[i], "="); i > 0 {
			parts[i] = strings.ToLower(name)
			if ok {
				parts[i] += "=" + value
			}
		}
	}
	slices.Sort(parts[1:])
	return strings.Join(parts, "; ")
}

// normal is a text without ports that change from run to run, and without the
// machine's own address: Envoy gives clients on its machine another one than httpd.
func (s *site) normal(b balancer, text string) string {
	text = strings.ReplaceAll(text, b.public(), "PUBLIC")
	text = strings.ReplaceAll(text, fmt.Sprintf("127.0.0.1:%d", b.port), "PUBLIC")
	for name, n := range s.nodes {
		text = strings.ReplaceAll(text, ":"+n.port(), ":("+name+")")
	}
	own, _ := net.InterfaceAddrs()
	for _, a := range own {
		text = strings.ReplaceAll(text, a.(*net.IPNet).IP.String(), "OWN")
	}
	return text
}

// request sends a line as it stands.
func request(t *testing.T, b balancer, line string) (*http.Response, []byte) {
	t.Helper()
	parts := strings.Split(line, " | ")
	words := strings.Fields(parts[0])
	version := "HTTP/1.1"
	if len(words) > 2 {
		version = words[2]
	}
	head := fmt.Sprintf("%s %s %s\r\n", words[0], words[1], version)
	if !strings.Contains(line, "| Host:") && version == "HTTP/1.1" {
		head += "Host: " + b.public() + "\r\n"
	}
	body := ""
	for _, h := range parts[1:] {
		if text, ok := strings.CutPrefix(h, "Body: "); ok {
			body = text
			head += fmt.Sprintf("Content-Length: %d\r\n", len(text))
			continue
		}
		head += h + "\r\n"
	}
	conn, err := net.DialTimeout("tcp", fmt.Sprintf("127.0.0.1:%d", b.port), patience)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close() //nolint:errcheck // read only
	_ = conn.SetDeadline(time.Now().Add(patience))
	if _, err := io.WriteString(conn, head+"Connection: close\r\n\r\n"+body); err != nil {
		t.Fatal(err)
	}
	resp, err := http.ReadResponse(bufio.NewReader(conn), &http.Request{Method: words[0]})
	if err != nil {
		t.Fatalf("%s, %s: %v", b.name, line, err)
	}
	defer resp.Body.Close() //nolint:errcheck // read only
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatalf("%s, %s: %v", b.name, line, err)
	}
	return resp, text
}
