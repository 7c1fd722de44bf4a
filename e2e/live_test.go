package e2e

import (
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"usher/xds/pki"
)

const day = 24 * time.Hour

// issued writes a certificate of an authority and returns the stub's arguments.
func issued(t *testing.T, ca pki.Authority, host string, at time.Time) []string {
	t.Helper()
	p, err := ca.Issue(pki.Request{CommonName: host, Hosts: []string{host}, Lifetime: 90 * day}, at)
	if err != nil {
		t.Fatal(err)
	}
	return []string{"--cert", keep(t, "chain.pem", p.Chain), "--key", keep(t, "key.pem", p.Key)}
}

func pinOf(t *testing.T, chain string) string {
	t.Helper()
	text, err := os.ReadFile(chain)
	if err != nil {
		t.Fatal(err)
	}
	block, _ := pem.Decode(text)
	cert, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	return pki.Pin(cert)
}

func keep(t *testing.T, name string, text []byte) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func theirAuthority(t *testing.T) (pki.Authority, string) {
	t.Helper()
	ca, err := pki.NewAuthority("their CA", 3650*day, time.Now().Add(-400*day))
	if err != nil {
		t.Fatal(err)
	}
	return ca, keep(t, "ca.pem", ca.PEM)
}

// masks are what differs from run to run.
var masks = []struct {
	is *regexp.Regexp
	as string
}{
	{regexp.MustCompile(`sha256/[A-Za-z0-9+/=]{44}`), "PIN"},
	{regexp.MustCompile(`:\d{4,5}`), ":PORT"},
	{regexp.MustCompile(`SERIALNUMBER=[0-9a-f]+`), "SERIALNUMBER=ID"},
	{regexp.MustCompile(`expired on \d{4}-\d\d-\d\d`), "expired on DATE"},
}

func masked(s string) string {
	for _, m := range masks {
		s = m.is.ReplaceAllString(s, m.as)
	}
	return s
}

func TestCheckLiveSaysWhatVerificationWouldFind(t *testing.T) {
	ca, caFile := theirAuthority(t)
	now := time.Now()
	s := newIdleSite(t, 0, file{})
	good := startStub(t, "good", issued(t, ca, "localhost", now)...)
	other := startStub(t, "other", issued(t, ca, "other.example.org", now)...)
	old := startStub(t, "old", issued(t, ca, "localhost", now.Add(-100*day))...)
	plain := startStub(t, "plain", "--plain")
	mutual := startStub(t, "mutual", append(issued(t, ca, "localhost", now), "--clients", caFile)...)
	node := func(name string, port int, more string) string {
		return fmt.Sprintf("{name: %s, address: localhost:%d%s}", name, port, more)
	}
	s.file.pool = fmt.Sprintf("tls: {ca: %s}", caFile)
	s.file.nodes = []string{node("good", good.port, ""), node("other", other.port, ""), node("old", old.port, ""), node("plain", plain.port, ""),
		node("mutual", mutual.port, ""), node("closed", freePort(t), ""), node("out", freePort(t), ", state: disabled")}
	s.file.pools = fmt.Sprintf("  - {name: open, nodes: [%s, %s]}\n", node("plain", plain.port, ""), node("good", good.port, ""))
	s.save(s.text(s.file))
	out, code := s.usherCLI("check", "--live", s.config(), "--envoy", envoyPath())
	_, out, _ = strings.Cut(out, "\n") // the file is good
	want, err := os.ReadFile("testdata/check_live.txt")
	if diff := cmp.Diff(string(want), masked(out)); err != nil || diff != "" || code != 1 {
		t.Errorf("exit %d, %v, -want +got\n%s\n%s", code, err, diff, masked(out))
	}

	s.file.nodes, s.file.pools = []string{node("good", good.port, "")}, ""
	for pool, want := range map[string]string{
		"tls: {ca: " + caFile + "}": "all 1 nodes pass",
		"tls: {verify: none}":       "every node would pass tls: {verify: pin, pins: [sha256/",
	} {
		s.file.pool = pool
		s.save(s.text(s.file))
		if out, code := s.usherCLI("check", "--live", s.config(), "--envoy", envoyPath()); code != 0 || !strings.Contains(out, want) {
			t.Errorf("%s: exit %d\n%s", pool, code, out)
		}
	}
	if _, err := os.Stat(s.state()); !os.IsNotExist(err) {
		t.Errorf("check wrote a state folder: %v", err)
	}
}

func TestWhatCheckForetellsIsWhatEnvoyDoes(t *testing.T) {
	ca, caFile := theirAuthority(t)
	strange, _ := theirAuthority(t)
	now := time.Now()
	noName, noNamePin := selfSigned(t, "localhost")
	old := issued(t, ca, "localhost", now.Add(-100*day))
	nodes := []struct {
		name   string
		args   []string
		verify string
	}{
		{"good", issued(t, ca, "localhost", now), "ca: " + caFile},
		{"other", issued(t, ca, "other.example.org", now), "ca: " + caFile},
		{"named", issued(t, ca, "other.example.org", now), "server_name: other.example.org, ca: " + caFile},
		{"old", old, "ca: " + caFile},
		{"early", issued(t, ca, "localhost", now.Add(10*day)), "ca: " + caFile},
		{"strange", issued(t, strange, "localhost", now), "ca: " + caFile},
		{"oldpinned", old, fmt.Sprintf("verify: pin, pins: [%q]", pinOf(t, old[1]))},
		{"ip", issued(t, ca, "127.0.0.1", now), "server_name: localhost, ca: " + caFile},
		{"noname", noName, "ca: " + noName[1]},
		{"pinned", noName, fmt.Sprintf("verify: pin, pins: [%q]", noNamePin)},
	}
	s := newIdleSite(t, 0, file{})
	for _, n := range nodes {
		stub := startStub(t, n.name, n.args...)
		s.file.routes = append(s.file.routes, fmt.Sprintf("{path: /%s, pool: %s}", n.name, n.name))
		s.file.pools += fmt.Sprintf("  - {name: %s, tls: {%s}, nodes: [{name: %s, address: localhost:%d}]}\n", n.name, n.verify, n.name, stub.port)
	}
	s.file.nodes, s.file.pool = []string{"{name: nobody, address: localhost:1}"}, "tls: {}"
	s.save(s.text(s.file))
	s.run()
	out, _ := s.usherCLI("check", "--live", s.config(), "--envoy", envoyPath())
	for _, n := range nodes {
		_, block, _ := strings.Cut(out, "pool "+n.name+" ")
		block, _, _ = strings.Cut(block, "\npool ")
		passes := regexp.MustCompile(`(?m)^  \* \w+ +passes`).MatchString(block)
		if passes == regexp.MustCompile(`(?m)^  \* \w+ +fails`).MatchString(block) {
			t.Errorf("%s: neither or both\n%s", n.name, out)
		}
		want := 503
		if passes {
			want = 200
		}
		until(t, 3*time.Second, fmt.Sprintf("%d from %s, as check has said", want, n.name), func() bool {
			_, resp := s.ask("/"+n.name, "")
			return resp.StatusCode == want
		})
	}
}

func TestVerificationIsSwitchedOnWithoutAnOutage(t *testing.T) {
	ca, caFile := theirAuthority(t)
	s := newIdleSite(t, 0, file{})
	for _, name := range []string{"isNode1", "isNode2"} {
		s.nodes = append(s.nodes, startStub(t, name, issued(t, ca, "127.0.0.1", time.Now())...))
	}
	s.save(s.text(s.file))
	s.run()
	out, _ := s.usherCLI("check", "--live", s.config(), "--envoy", envoyPath())
	pins := regexp.MustCompile(`pins: (\[.*\])`).FindStringSubmatch(out)
	if pins == nil {
		t.Fatalf("no pins to write:\n%s", out)
	}
	u := (&users{s: s, pause: 20 * time.Millisecond}).begin(10)
	u.during(func() {
		for _, tls := range []string{"{verify: pin,pins: " + strings.ReplaceAll(pins[1], ", ", ",") + "}", "{ca: " + caFile + "}", "{verify: none}"} {
			s.change(tls, func(f *file) { f.pool = "sticky: {jvm_route: JSESSIONID}, tls: " + tls })
			until(t, patience, "the cluster to be warm", func() bool { return s.stat("cluster_manager.warming_clusters") == 0 })
			seen := u.requests.Load()
			until(t, patience, "requests under "+tls, func() bool { return u.requests.Load() > seen+50 })
		}
	})
	u.mustNotFail(t)
	if u.wrong() > 0 || u.closed.Load() > 0 {
		t.Errorf("%d answers of a wrong node, %d connections closed", u.wrong(), u.closed.Load())
	}
}
