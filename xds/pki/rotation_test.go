package pki

import (
	"bytes"
	"crypto/x509"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// rotated is a store whose authority has issued a certificate.
func rotated(t *testing.T) (Store, Pair) {
	t.Helper()
	s := Store{Dir: filepath.Join(t.TempDir(), "state")}
	ca, _, err := s.Authority(noon)
	if err != nil {
		t.Fatal(err)
	}
	p, _, err := s.Certificate("server", Request{Hosts: []string{"localhost"}, Lifetime: 90 * day}, ca, noon)
	if err != nil {
		t.Fatal(err)
	}
	return s, p
}

func next(t *testing.T) Authority {
	t.Helper()
	return must[Authority](t)(AuthorityRequest{Name: "next CA", Lifetime: AuthorityLifetime}.New(noon))
}

// trusted tells whether a leaf is good for who trusts these authorities.
func trusted(t *testing.T, p Pair, a Authorities) bool {
	t.Helper()
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(a.PEM()) {
		t.Fatal("nothing is trusted")
	}
	_, err := p.Leaf.Verify(x509.VerifyOptions{Roots: roots, CurrentTime: noon, DNSName: "localhost"})
	return err == nil
}

// TestRotationStepByStep holds who issues and who is trusted in each phase, as
// a process sees it that starts then.
func TestRotationStepByStep(t *testing.T) {
	s, old := rotated(t)
	issue := func(a Authorities) Pair {
		t.Helper()
		p, _, err := s.Certificate("server", Request{Hosts: []string{"localhost"}, Lifetime: 90 * day}, a.Issuing, noon)
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	step := func(phase Phase, name string, oldIsTrusted bool) Pair {
		t.Helper()
		a, made, err := s.Authorities(noon)
		if err != nil || made || a.Phase != phase || a.Issuing.Certificate.Subject.CommonName != name {
			t.Fatalf("phase %s, issued by %s, made %t, %v", a.Phase, named(a.Issuing.Certificate), made, err)
		}
		p := issue(a)
		if !trusted(t, p, a) || trusted(t, old, a) != oldIsTrusted {
			t.Errorf("%s: who is trusted is wrong", phase)
		}
		return p
	}
	if p := step(Steady, LocalName, true); !p.Leaf.Equal(old.Leaf) {
		t.Error("issued anew without a reason")
	}
	if _, err := s.Introduce(next(t)); err != nil {
		t.Fatal(err)
	}
	if p := step(Introduced, LocalName, true); !p.Leaf.Equal(old.Leaf) {
		t.Error("the new authority issues already")
	}
	if _, err := s.Replace(); err != nil {
		t.Fatal(err)
	}
	if p := step(Replaced, "next CA", true); p.Leaf.Equal(old.Leaf) {
		t.Error("not issued anew")
	}
	if _, err := s.Retire(); err != nil {
		t.Fatal(err)
	}
	step(Steady, "next CA", false)
	if left := tree(t, s.Dir); strings.Contains(left, "ca-other") || strings.Contains(left, ".ca-") {
		t.Error("left behind\n" + left)
	}
	if _, err := s.Introduce(next(t)); err != nil {
		t.Error("a second rotation:", err)
	}
}

func TestStepsOutOfOrderChangeNothing(t *testing.T) {
	s, _ := rotated(t)
	refuse := func(step func() (Authorities, error), want string) {
		t.Helper()
		before := contents(t, s.Dir)
		if _, err := step(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want %q, got %v", want, err)
		}
		if len(contents(t, s.Dir)) != len(before) {
			t.Error("something changed")
		}
	}
	introduce := func() (Authorities, error) { return s.Introduce(next(t)) }
	refuse(s.Replace, "is in the phase steady, this step begins with introduced")
	refuse(s.Retire, "is in the phase steady, this step begins with replaced")
	refuse(s.Abort, "is in the phase steady, this step begins with introduced")
	if _, err := introduce(); err != nil {
		t.Fatal(err)
	}
	refuse(introduce, "is in the phase introduced, this step begins with steady")
	refuse(s.Retire, "is in the phase introduced")
	if a, err := s.Abort(); err != nil || a.Phase != Steady || a.Issuing.Certificate.Subject.CommonName != LocalName {
		t.Error(a.Phase, err)
	}
}

// TestARotationThatWasForgottenStopsNothing: the old authority expires before
// the last step, or even before the second.
func TestARotationThatWasForgottenStopsNothing(t *testing.T) {
	for _, phase := range []Phase{Steady, Introduced, Replaced} {
		s, _ := rotated(t)
		late := noon.Add(AuthorityLifetime)
		younger := must[Authority](t)(AuthorityRequest{Name: "next CA", Lifetime: AuthorityLifetime}.New(noon.Add(30 * day)))
		if phase != Steady {
			must[Authorities](t)(s.Introduce(younger))
		}
		if phase == Replaced {
			must[Authorities](t)(s.Replace())
		}
		a, _, err := s.Authorities(late)
		if phase == Replaced {
			if err != nil {
				t.Fatal("the old one's end stops the new one:", err)
			}
			must[Pair](t)(a.Issuing.Issue(Request{Hosts: []string{"a"}, Lifetime: day}, late))
		} else if err == nil || !strings.Contains(err.Error(), "'usher ca rotate'") {
			t.Errorf("%s, the one that issues has expired: %v", phase, err)
		}
		if phase == Steady {
			must[Authorities](t)(s.Introduce(younger))
		}
		if phase != Replaced {
			must[Authorities](t)(s.Replace())
		}
		must[Authorities](t)(s.Retire())
		if a, _, err := s.Authorities(late); err != nil || a.Phase != Steady || !a.Issuing.Certificate.Equal(younger.Certificate) {
			t.Errorf("%s: at the end %s, %v", phase, a.Phase, err)
		}
		if gone := must[[]*x509.Certificate](t)(s.Retired()); len(gone) != 1 {
			t.Errorf("%d authorities are remembered as retired", len(gone))
		}
	}
}

func TestALinkedAuthorityIsNotReplaced(t *testing.T) {
	s, away := Store{Dir: t.TempDir()}, filepath.Join(t.TempDir(), "not mounted")
	if err := os.Symlink(away, filepath.Join(s.Dir, issuingFolder)); err != nil {
		t.Fatal(err)
	}
	if err := s.Adopt(next(t)); err == nil {
		t.Error("another one took its place")
	}
	if to, err := os.Readlink(filepath.Join(s.Dir, issuingFolder)); to != away {
		t.Error("the link is gone:", err)
	}
}

func TestTwoAuthoritiesThatDoNotFollowEachOtherAreNamed(t *testing.T) {
	s, _ := rotated(t)
	if err := next(t).keep(filepath.Join(s.Dir, otherFolder), nil); err != nil {
		t.Fatal(err)
	}
	if _, _, err := s.Authorities(noon); err == nil || !strings.Contains(err.Error(), "do not follow each other") {
		t.Error(err)
	}
}

// TestWhatHangsOnTheOldAuthority is what an operator has to see before it goes.
func TestWhatHangsOnTheOldAuthority(t *testing.T) {
	s, server := rotated(t)
	node := must[Pair](t)(s.IssueElsewhere(Request{Hosts: []string{"node1"}, Lifetime: 30 * day}, noon))
	if _, err := s.Introduce(next(t)); err != nil {
		t.Fatal(err)
	}
	a := must[Authorities](t)(s.Replace())
	old, _ := a.Old()
	seen := must[Pair](t)(old.Issue(Request{Hosts: []string{"node2"}, Lifetime: day}, noon))
	hanging := func(now time.Time, seen ...*x509.Certificate) string {
		var names []string
		for _, c := range must[[]*x509.Certificate](t)(s.Hanging(a, seen, now)) {
			names = append(names, named(c))
		}
		return strings.Join(names, " ")
	}
	if got := hanging(noon, server.Leaf, seen.Leaf, node.Leaf); got != "node1 localhost node2" {
		t.Errorf("%s hang on the old authority", got)
	}
	if p, issued, err := s.Certificate("server", Request{Hosts: []string{"localhost"}, Lifetime: 90 * day}, a.Issuing, noon); err != nil || !issued || p.Leaf.Equal(server.Leaf) {
		t.Error(issued, err)
	}
	if got := hanging(noon); got != "node1" {
		t.Errorf("%s hang on the old authority", got)
	}
	if got := hanging(node.Leaf.NotAfter); got != "" {
		t.Errorf("%s hang on the old authority", got)
	}
}

// TestAnAuthorityWithoutItsKeyServesOn: what is there is used until it expires,
// and who wants something new is told what to do.
func TestAnAuthorityWithoutItsKeyServesOn(t *testing.T) {
	for _, c := range []struct {
		name, want string
		key        func(*testing.T, []byte) []byte
		passphrase string
	}{
		{"absent", "put it there (mode 0600)", func(*testing.T, []byte) []byte { return nil }, ""},
		{"under a passphrase", "is under a passphrase: name a file that holds it by --passphrase-file", locked, ""},
		{"under another passphrase", "the passphrase given does not open the authority's key", locked, "wrong"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, p := rotated(t)
			file := filepath.Join(s.Dir, issuingFolder, authorityKeyFile)
			put(t, file, c.key(t, must[[]byte](t)(read(file))))
			if c.passphrase != "" {
				s.Passphrase = []byte(c.passphrase)
			}
			ca, made, err := s.Authority(noon)
			if err != nil || made || ca.Closed() == nil {
				t.Fatal(made, err, ca.Closed())
			}
			due := RenewAt(p.Leaf)
			q, issued, err := s.Certificate("server", Request{Hosts: []string{"localhost"}, Lifetime: 90 * day}, ca, due)
			if issued || q.Leaf == nil || !q.Leaf.Equal(p.Leaf) || err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("issued %t, %v", issued, err)
			}
			for name, host := range map[string]string{"server": "other.example.org", "another": "localhost"} {
				if q, _, err := s.Certificate(name, Request{Hosts: []string{host}, Lifetime: 90 * day}, ca, noon); err == nil || q.Leaf != nil {
					t.Errorf("certificate %s for %s: %v", name, host, err)
				}
			}
			if q, _, err := s.Certificate("server", Request{Hosts: []string{"localhost"}, Lifetime: 90 * day}, ca, p.Leaf.NotAfter.Add(time.Second)); err == nil || q.Leaf != nil {
				t.Error("an expired certificate serves")
			}
		})
	}
}

// locked is a key as openssl puts it under a passphrase.
func locked(t *testing.T, key []byte) []byte {
	t.Helper()
	return []byte(openssl(t, "pkcs8", "-topk8", "-v2", "aes-256-cbc", "-passout", "pass:secret", "-in", at(t, "plain.key", key)))
}

func TestAnAuthorityOpensWithItsPassphrase(t *testing.T) {
	s := Store{Dir: t.TempDir(), Passphrase: []byte("correct horse")}
	if _, made, err := s.Authority(noon); err != nil || !made {
		t.Fatal(made, err)
	}
	text := must[[]byte](t)(read(filepath.Join(s.Dir, issuingFolder, authorityKeyFile)))
	if !bytes.HasPrefix(text, []byte("-----BEGIN ENCRYPTED PRIVATE KEY-----")) {
		t.Errorf("the key is kept as\n%s", text[:40])
	}
	ca, made, err := s.Authority(noon)
	if err != nil || made || ca.Closed() != nil {
		t.Fatal(made, err, ca.Closed())
	}
	must[Pair](t)(ca.Issue(Request{Hosts: []string{"a"}, Lifetime: day}, noon))
}

// TestAuthoritiesOfOpenSSLAreTaken, with their keys as openssl encrypts them,
// now and 20 years ago.
func TestAuthoritiesOfOpenSSLAreTaken(t *testing.T) {
	dir := t.TempDir()
	file := func(name string) string { return filepath.Join(dir, name) }
	openssl(t, "genrsa", "-out", file("plain.key"), "2048")
	openssl(t, "req", "-x509", "-new", "-key", file("plain.key"), "-out", file("ca.crt"), "-days", "3650", "-subj", "/CN=Acme", "-set_serial", "7")
	openssl(t, "rsa", "-des3", "-traditional", "-passout", "pass:secret", "-in", file("plain.key"), "-out", file("old.key"))
	openssl(t, "pkcs8", "-topk8", "-v2", "des3", "-passout", "pass:secret", "-in", file("plain.key"), "-out", file("pkcs8.key"))
	crt := must[[]byte](t)(read(file("ca.crt")))
	now := time.Now()
	for _, c := range []struct {
		key, passphrase string
		stays           bool
		kept, want      string
	}{
		{"plain.key", "", true, "PRIVATE KEY", ""},
		{"old.key", "secret", true, "ENCRYPTED PRIVATE KEY", ""},
		{"pkcs8.key", "secret", true, "ENCRYPTED PRIVATE KEY", ""},
		{"old.key", "secret", false, "PRIVATE KEY", ""},
		{"old.key", "wrong", true, "", "the passphrase is wrong"},
		{"pkcs8.key", "", true, "", "none was given"},
	} {
		var passphrase []byte
		if c.passphrase != "" {
			passphrase = []byte(c.passphrase)
		}
		a, err := ParseAuthority(crt, must[[]byte](t)(read(file(c.key))), passphrase, c.stays, now)
		if c.want != "" {
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%s: want %q, got %v", c.key, c.want, err)
			}
			continue
		}
		if err != nil || !bytes.HasPrefix(a.keyPEM, []byte("-----BEGIN "+c.kept+"-----")) {
			t.Errorf("%s: %v, kept as %.40s", c.key, err, a.keyPEM)
			continue
		}
		s := Store{Dir: t.TempDir(), Passphrase: passphrase}
		if err := s.Adopt(a); err != nil {
			t.Fatal(err)
		}
		again, made, err := s.Authority(now)
		if err != nil || made || again.Closed() != nil {
			t.Error(made, err, again.Closed())
		}
		if err := s.Adopt(a); err == nil || !strings.Contains(err.Error(), "usher ca rotate") {
			t.Errorf("a second one: %v", err)
		}
	}
}

func TestAuthoritiesThatAreNoGood(t *testing.T) {
	dir := t.TempDir()
	file := func(name string) string { return filepath.Join(dir, name) }
	made := func(name string, bits string, more ...string) (crt, key []byte) {
		t.Helper()
		args := []string{"req", "-x509", "-newkey", "rsa:" + bits, "-nodes", "-keyout", file(name + ".key"), "-out", file(name + ".crt"), "-subj", "/CN=" + name}
		openssl(t, append(args, more...)...)
		return must[[]byte](t)(read(file(name + ".crt"))), must[[]byte](t)(read(file(name + ".key")))
	}
	crt, key := made("good", "2048", "-days", "10")
	short, shortKey := made("guide", "1024", "-days", "10")
	now := time.Now()
	for _, c := range []struct {
		name, want string
		crt, key   []byte
		now        time.Time
	}{
		{"the guide's own key size", "an RSA key of 1024 bits is too short", short, shortKey, now},
		{"expired", "expired on", crt, key, now.Add(11 * day)},
		{"another's key", "the key is not that of the certificate", crt, strange(t), now},
		{"cut off", "only 0 of the file's 1 PEM blocks can be read", crt[:200], key, now},
		{"a key in the certificate's place", "there is no certificate in the file", key, key, now},
		{"no key in the key's file", "there is no private key in the file", crt, crt, now},
	} {
		if _, err := ParseAuthority(c.crt, c.key, nil, true, c.now); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: want %q, got %v", c.name, c.want, err)
		}
	}
}

// strange is a good key of nobody's.
func strange(t *testing.T) []byte {
	t.Helper()
	_, text, err := NewKey(ECDSA)
	if err != nil {
		t.Fatal(err)
	}
	return text
}
