package e2e

import (
	"crypto/tls"
	"fmt"
	"math/big"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"usher/xds/pki"
)

// verb runs usher as the administrator of the site does.
func (s *site) verb(args ...string) string {
	s.t.Helper()
	cmd := exec.Command(filepath.Join(bin, "usher"), append(args, "--config", s.config())...)
	cmd.Dir = s.dir
	out, err := cmd.Output()
	if err != nil {
		var why string
		if exit, ok := err.(*exec.ExitError); ok { //nolint:errorlint // of Output
			why = string(exit.Stderr)
		}
		s.t.Fatalf("usher %s: %v\n%s", strings.Join(args, " "), err, why)
	}
	return string(out)
}

// serial is that of the certificate in a new handshake.
func (s *site) serial() string {
	state, err := s.shows(&tls.Config{})
	if err != nil {
		return err.Error()
	}
	return fmt.Sprintf("%x", state.PeerCertificates[0].SerialNumber)
}

// pairs issues certificates for localhost, each in a folder of its own.
func (s *site) pairs(n int) (dirs []string) {
	s.t.Helper()
	for i := range n {
		dir := filepath.Join(s.dir, fmt.Sprintf("v%d", i))
		if err := os.Mkdir(dir, 0o700); err != nil {
			s.t.Fatal(err)
		}
		p, err := pki.Store{Dir: s.state()}.IssueElsewhere(pki.Request{Hosts: []string{"localhost"}, Lifetime: day, Serial: big.NewInt(int64(0x1000 + i))}, time.Now())
		if err != nil {
			s.t.Fatal(err)
		}
		for name, text := range map[string][]byte{"server.crt": p.Chain, "server.key": p.Key} {
			if err := os.WriteFile(filepath.Join(dir, name), text, 0o600); err != nil {
				s.t.Fatal(err)
			}
		}
		dirs = append(dirs, dir)
	}
	return dirs
}

// inPlace makes the files of a folder those that cluster.yaml names: by a rename
// of each, as most tools do, or by swapping the link of their folder, as
// Kubernetes does.
func (s *site) inPlace(dir string, swap bool) {
	s.t.Helper()
	live := filepath.Join(s.dir, "live")
	if swap {
		tmp := filepath.Join(live, "..tmp")
		if err := os.Symlink(dir, tmp); err != nil {
			s.t.Fatal(err)
		}
		if err := os.Rename(tmp, filepath.Join(live, "..data")); err != nil {
			s.t.Fatal(err)
		}
	}
	for _, name := range []string{"server.crt", "server.key"} {
		to := filepath.Join(live, name)
		if swap {
			if _, err := os.Readlink(to); err == nil {
				continue
			}
			_ = os.Remove(to)
			if err := os.Symlink(filepath.Join("..data", name), to); err != nil {
				s.t.Fatal(err)
			}
			continue
		}
		if err := os.Rename(filepath.Join(dir, name), to); err != nil {
			s.t.Fatal(err)
		}
	}
}

// TestFiftyRenewalsUnderLoad replaces the files of a certificate fifty times:
// nobody notices but new handshakes, and those within a second.
func TestFiftyRenewalsUnderLoad(t *testing.T) {
	s := newIdleSite(t, 2, file{})
	s.verb("ca", "init")
	dirs := s.pairs(51)
	if err := os.Mkdir(filepath.Join(s.dir, "live"), 0o700); err != nil {
		t.Fatal(err)
	}
	s.inPlace(dirs[0], false)
	s.save(strings.Replace(s.text(s.file), "hosts: [localhost]}", "chain: live/server.crt, key: live/server.key}", 1))
	s.run()
	before := s.updates()
	u := (&users{s: s, pause: 20 * time.Millisecond}).begin(10)
	fresh := (&users{s: s, pause: 50 * time.Millisecond, fresh: true}).begin(5)
	done, stop := make(chan struct{}), make(chan struct{})
	go func() { defer close(done); fresh.during(func() { <-stop }) }()
	var slowest time.Duration
	u.during(func() {
		for i, dir := range dirs[1:] {
			want := fmt.Sprintf("%x", 0x1001+i)
			s.inPlace(dir, i >= 25)
			slowest = max(slowest, until(t, time.Second, "serial number "+want, func() bool { return s.serial() == want }))
		}
	})
	close(stop)
	<-done
	u.mustNotFail(t)
	fresh.mustNotFail(t)
	after := s.updates()
	secrets := after.secrets - before.secrets
	before.secrets = after.secrets
	if after != before || u.closed.Load() > 0 {
		t.Errorf("more than the secret was pushed: %+v, before %+v; %d connections closed", after, before, u.closed.Load())
	}
	t.Logf("%d requests, %d pushes of the secret, the slowest renewal was seen after %s", u.requests.Load()+fresh.requests.Load(), secrets, slowest)
}

// TestBadFilesOfACertificateChangeNothing: what serves goes on serving, and the
// fault is named at its line.
func TestBadFilesOfACertificateChangeNothing(t *testing.T) {
	s := newIdleSite(t, 1, file{})
	s.verb("ca", "init")
	dirs := s.pairs(3)
	live := filepath.Join(s.dir, "live")
	if err := os.Mkdir(live, 0o700); err != nil {
		t.Fatal(err)
	}
	read := func(dir, name string) []byte {
		t.Helper()
		text, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	chain, key := read(dirs[0], "server.crt"), read(dirs[0], "server.key")
	ca := []byte(s.verb("ca", "export"))
	weak := exec.Command("openssl", "req", "-x509", "-newkey", "rsa:1024", "-nodes", "-days", "2", "-keyout", filepath.Join(dirs[1], "weak.key"), "-out", filepath.Join(dirs[1], "weak.crt"), "-subj", "/CN=localhost")
	nameless := exec.Command("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-keyout", filepath.Join(dirs[1], "nameless.key"), "-out", filepath.Join(dirs[1], "nameless.crt"), "-subj", "/CN=localhost")
	for _, cmd := range []*exec.Cmd{weak, nameless} {
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v: %v\n%s", cmd.Args, err, out)
		}
	}
	old := expired(t)
	put := func(chain, key []byte) {
		t.Helper()
		for name, text := range map[string][]byte{"server.crt": chain, "server.key": key} {
			tmp := filepath.Join(live, "~"+name)
			if err := os.WriteFile(tmp, text, 0o600); err != nil {
				t.Fatal(err)
			}
			if err := os.Rename(tmp, filepath.Join(live, name)); err != nil {
				t.Fatal(err)
			}
		}
	}
	put(chain, key)
	s.save(strings.Replace(s.text(s.file), "hosts: [localhost]}", "chain: live/server.crt, key: live/server.key}", 1))
	s.run()
	for _, c := range []struct {
		what, field, want string
		chain, key        []byte
	}{
		{"a truncated chain", "chain", "only 0 of the file's 1 PEM blocks can be read", chain[:len(chain)/2], key},
		{"a chain in the wrong order", "chain", "the chain is out of order", append(append([]byte{}, ca...), chain...), key},
		{"the key of another certificate", "key", "the key is not that of the certificate", chain, read(dirs[1], "server.key")},
		{"the guide's own key size", "key", "an RSA key of 1024 bits is too short", read(dirs[1], "weak.crt"), read(dirs[1], "weak.key")},
		{"an expired certificate", "chain", "expired on 2020-01-0", old.Chain, old.Key},
		{"a key under a passphrase", "key", "the key is encrypted", chain, []byte("-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n")},
		{"a certificate without names", "chain", "has no subjectAltName", read(dirs[1], "nameless.crt"), read(dirs[1], "nameless.key")},
		{"nothing at all", "chain", "the file is empty", nil, key},
	} {
		put(c.chain, c.key)
		until(t, patience, c.what+" to be named", func() bool {
			st, _ := s.status()
			for _, p := range st.Problems {
				if p.Field == "certificates[0]."+c.field && strings.Contains(p.What, c.want) && p.Line > 0 {
					return true
				}
			}
			return false
		})
		if got := s.serial(); got != "1000" {
			t.Errorf("%s: serial number %s is served", c.what, got)
		}
	}
	put(read(dirs[2], "server.crt"), read(dirs[2], "server.key"))
	until(t, patience, "the next good pair", func() bool { return s.serial() == "1002" })
}

// expired is a pair of the year 2020.
func expired(t *testing.T) pki.Pair {
	t.Helper()
	then := time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)
	ca, err := pki.NewAuthority("old CA", pki.AuthorityLifetime, then)
	if err != nil {
		t.Fatal(err)
	}
	p, err := ca.Issue(pki.Request{Hosts: []string{"localhost"}, Lifetime: 2 * day}, then)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// TestTheLocalCAIsRotatedUnderLoad: clients that were given both authorities
// see no failure, connections stay, and each step survives a restart of usher.
func TestTheLocalCAIsRotatedUnderLoad(t *testing.T) {
	s := newSite(t, 2, file{})
	s.verb("ca", "rotate", "--name", "next CA") // from here on clients trust both
	u := (&users{s: s, pause: 20 * time.Millisecond}).begin(10)
	fresh := (&users{s: s, pause: 50 * time.Millisecond, fresh: true}).begin(5)
	done, stop := make(chan struct{}), make(chan struct{})
	go func() { defer close(done); fresh.during(func() { <-stop }) }()
	issuer := func(want string) func() bool {
		return func() bool {
			state, err := s.shows(&tls.Config{})
			return err == nil && state.PeerCertificates[0].Issuer.CommonName == want
		}
	}
	before := s.updates()
	var took time.Duration
	u.during(func() {
		if !issuer("usher local CA")() {
			t.Error("the next CA issues before its time")
		}
		s.verb("ca", "rotate")
		took = until(t, patience, "a certificate of the next CA", issuer("next CA"))
		s.usher.kill()
		s.run()
		s.verb("ca", "rotate")
	})
	close(stop)
	<-done
	u.mustNotFail(t)
	fresh.mustNotFail(t)
	if n := u.closed.Load(); n > 0 {
		t.Errorf("%d connections closed", n)
	}
	after := s.updates()
	if after.listeners != before.listeners || after.clusters != before.clusters {
		t.Errorf("%+v was pushed, before %+v", after, before)
	}
	if text := s.verb("ca", "show"); strings.Contains(text, "old CA") || !strings.Contains(text, "CN=next CA") {
		t.Errorf("after the rotation:\n%s", text)
	}
	_, resp := s.ask("/", "")
	if resp.StatusCode != 200 {
		t.Errorf("a client that trusts the next CA alone gets %s", resp.Status)
	}
	t.Logf("%d requests; the next CA's certificate was served after %s", u.requests.Load()+fresh.requests.Load(), took)
}
