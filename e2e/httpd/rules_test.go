//go:build httpd

package httpd

import (
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/netip"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	importer "usher/cmd/usher/httpd"
	"usher/model"
	"usher/xds"
)

// A developer's long run is
//
//	go test -tags httpd -run TestWhatHTTPDClosesIsClosed ./e2e/httpd -args -sites 300 -seed 7
var (
	sites = flag.Int("sites", 100, "how many sites are made up, whose rules of access are compared")
	seed  = flag.Uint64("seed", 1, "what they are made up from")
)

const perHTTPD = 10 // sites that a httpd serves, by their names

// Paths and clients that every site is asked for.
var (
	asked = strings.Fields("/ /a /a/ /a/b /a/b/c /a/bc /b /b/x /c /c/a /ab /a/x/b /pub /pub/a /A /a/x /%61/b //a/b /pub/../a")
	from  = strings.Fields("10.0.0.1 10.1.2.3 192.168.1.7 8.8.8.8 2001:db8::7")
)

// What a real httpd closes for a path and a client, the cluster file that is imported
// from its configuration closes as well; and no more, where the report says that all
// was carried as it is. Whether usher closes is what usher explain says, which another
// test holds against the real Envoy.
func TestWhatHTTPDClosesIsClosed(t *testing.T) {
	sum := &outcomes{}
	n := newNode(t, "n1")
	for first := 0; first < *sites; first += perHTTPD {
		t.Run(fmt.Sprintf("from_site_%d", first), func(t *testing.T) {
			m := maker{rand.New(rand.NewPCG(*seed, uint64(first)))} //nolint:gosec // the same sites in every run
			var main []string
			if first > 0 {
				main = m.several(2, m.section)
			}
			var some []madeUp
			for i := first; i < min(first+perHTTPD, *sites); i++ {
				some = append(some, m.site(fmt.Sprintf("site%d.example.org", i), main, n.addr))
			}
			sum.of(t, some)
		})
	}
	t.Logf("%d sites, %d of them said to be carried as they are; %d requests, of which httpd closed %d and usher %d", *sites, sum.exact, sum.requests, sum.httpd, sum.usher)
	if few := sum.requests / 5; sum.exact < *sites/25 || sum.httpd < few || sum.requests-sum.usher < few/2 {
		t.Error("the sites that are made up are too much alike to show anything")
	}
}

// outcomes are how many requests had which.
type outcomes struct{ exact, requests, httpd, usher int }

// of compares sites that share a main server.
func (o *outcomes) of(t *testing.T, some []madeUp) {
	t.Helper()
	text := trusting + strings.Join(some[0].main, "\n") + "\n"
	for _, s := range some {
		text += s.vhost()
	}
	b := startHosts(t, text)
	for _, s := range some {
		i := s.imported(t)
		if i.exact() {
			o.exact++
		}
		wrong := map[string]bool{}
		for _, path := range asked {
			for _, client := range from {
				q := question{path, client}
				status, e := q.httpd(t, b, s.name), q.usher(i.cluster, s.name)
				o.requests++
				o.httpd += count(status != http.StatusOK)
				o.usher += count(!open(e))
				if what := i.fault(status, e); what != "" && !wrong[what] {
					wrong[what] = true
					q.report(t, s, what)
				}
			}
		}
	}
}

func count(yes bool) int {
	if yes {
		return 1
	}
	return 0
}

// trusting lets the test say who the client is. It is no part of what is imported.
const trusting = "RemoteIPHeader X-Forwarded-For\nRemoteIPInternalProxy 127.0.0.1\n"

// imported is what usher makes of a site.
type imported struct {
	cluster *model.Cluster
	report  importer.Report
	yaml    string
}

func (s madeUp) imported(t *testing.T) imported {
	t.Helper()
	file := strings.ReplaceAll("Listen 127.0.0.1:$PORT\n"+s.conf(), "$PORT", "8080")
	result, err := importer.Import(fstest.MapFS{"site.conf": {Data: []byte(file)}}, "/", []string{"/site.conf"})
	if err != nil {
		t.Fatal(err)
	}
	c, problems := model.Parse("cluster.yaml", result.YAML)
	if len(problems) > 0 {
		t.Fatalf("%s\n%s\n%s", problems, result.YAML, file)
	}
	return imported{c, result.Report, string(result.YAML)}
}

// statusAlone is what the report says of what is closed in both.
var statusAlone = []string{"closed to everybody, with 404 where httpd says 403", "with 404 in the place of 403"}

// exact tells whether the report claims that httpd and usher let the same ones in.
func (i imported) exact() bool {
	return !slices.ContainsFunc(i.report, func(r importer.Row) bool {
		return r.Verdict != importer.Carried && r.Verdict != importer.NotNeeded && !slices.Contains(statusAlone, r.Note)
	})
}

// fault is what is wrong with an answer, empty where nothing is.
func (i imported) fault(status int, e xds.Explanation) string {
	switch {
	case status != http.StatusOK && open(e):
		return "usher is open where httpd is closed"
	case status == http.StatusOK && !open(e) && i.exact():
		return "usher is closed where httpd is open, and the report claims that everything is carried as it is"
	}
	return ""
}

func open(e xds.Explanation) bool { return len(e.Nodes) > 0 }

// question is a request.
type question struct{ path, client string }

// httpd is the status that httpd answers with.
func (q question) httpd(t *testing.T, b balancer, host string) int {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, fmt.Sprintf("http://127.0.0.1:%d%s", b.port, q.path), nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Host = host
	req.Header.Set("X-Forwarded-For", q.client)
	resp, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close() //nolint:errcheck // read only
	if _, err := io.Copy(io.Discard, resp.Body); err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode
}

// usher is what Envoy would do.
func (q question) usher(c *model.Cluster, host string) xds.Explanation {
	well := func(xds.NodeOf) xds.Sight { return xds.Sight{Healthy: true} }
	return xds.Explain(c, xds.Material{}, well, xds.Request{Host: host, Port: 8080, Path: q.path, From: netip.MustParseAddr(q.client)})
}

// report says what is wrong with a site, without the lines that have no part in it.
func (q question) report(t *testing.T, s madeUp, what string) {
	t.Helper()
	s.main = q.without(t, s.main, func(main []string) (madeUp, string) { return madeUp{s.name, main, s.host}, what })
	s.host = q.without(t, s.host, func(host []string) (madeUp, string) { return madeUp{s.name, s.main, host}, what })
	i := s.imported(t)
	status, e := q.try(t, s, i)
	var rows strings.Builder
	for _, r := range i.report {
		rows.WriteString(r.String() + "\n")
	}
	t.Errorf("%s: GET %s from %s\nhttpd says %d\nusher: %s\nthe site:\n%s\nis imported as\n%s\nwith the report\n%s",
		what, q.path, q.client, status, strings.Join(e.Steps, "; "), s.conf(), i.yaml, rows.String())
}

// without leaves out what can be left out of lines, sections as a whole first.
func (q question) without(t *testing.T, lines []string, site func([]string) (madeUp, string)) []string {
	t.Helper()
	lines = slices.Clone(lines) // other sites have the main server's as well
	for at := 0; at < len(lines); {
		end := closing(lines, at)
		s, what := site(slices.Delete(slices.Clone(lines), at, end))
		if end > at && s.valid(t) {
			i := s.imported(t)
			if status, e := q.try(t, s, i); i.fault(status, e) == what {
				lines = slices.Delete(lines, at, end)
				continue
			}
		}
		at++
	}
	return lines
}

// closing is where what begins at a line is over; there itself, where nothing begins.
func closing(lines []string, at int) int {
	if strings.HasPrefix(lines[at], "</") {
		return at
	}
	depth := 0
	for i, l := range lines[at:] {
		switch {
		case strings.HasPrefix(l, "</"):
			depth--
		case strings.HasPrefix(l, "<"):
			depth++
		}
		if depth == 0 {
			return at + i + 1
		}
	}
	return at
}

// valid tells whether httpd takes a site.
func (s madeUp) valid(t *testing.T) bool {
	t.Helper()
	dir := t.TempDir()
	return exec.CommandContext(t.Context(), apache, "-t", "-d", dir, "-f", confOf(t, dir, freePort(t), trusting+s.conf())).Run() == nil
}

// try asks a httpd that has the site alone.
func (q question) try(t *testing.T, s madeUp, i imported) (status int, e xds.Explanation) {
	t.Helper()
	t.Run("smaller", func(t *testing.T) {
		status, e = q.httpd(t, startHosts(t, trusting+s.conf()), s.name), q.usher(i.cluster, s.name)
	})
	return status, e
}
