package pki

import (
	"bytes"
	"crypto/x509"
	"crypto/x509/pkix"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func makeDir(dir string) error { return os.MkdirAll(dir, 0o700) }

func TestFirstStartMakesWhatTheSecondLoads(t *testing.T) {
	s := Store{Dir: filepath.Join(t.TempDir(), "state")}
	ca, made, err := s.Authority(noon)
	if err != nil || !made {
		t.Fatal(made, err)
	}
	p, issued, err := s.Certificate("server", Request{Hosts: []string{"localhost"}, Lifetime: 90 * day}, ca, noon)
	if err != nil || !issued {
		t.Fatal(issued, err)
	}
	again, made, err := s.Authority(noon.Add(day))
	if err != nil || made || !bytes.Equal(again.PEM, ca.PEM) {
		t.Error("another authority at the second start:", made, err)
	}
	q, issued, err := s.Certificate("server", Request{Hosts: []string{"localhost"}, Lifetime: 90 * day}, again, noon.Add(day))
	if err != nil || issued || !bytes.Equal(q.Chain, p.Chain) || !bytes.Equal(q.Key, p.Key) {
		t.Error("another certificate at the second start:", issued, err)
	}
}

// TestNobodyElseReadsTheState runs, as all tests here, with umask 0.
func TestNobodyElseReadsTheState(t *testing.T) {
	dir := t.TempDir()
	s := Store{Dir: filepath.Join(dir, "state")}
	ca, _, err := s.Authority(noon)
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := s.Certificate("server", Request{Hosts: []string{"localhost"}, Lifetime: 90 * day}, ca, noon); err != nil {
		t.Fatal(err)
	}
	in, _, err := s.Internal(noon)
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := in.WriteClient(filepath.Join(s.Dir, "xds"), noon); err != nil {
		t.Fatal(err)
	}
	want := `drwx------ state
drwx------ state/ca
-rw------- state/ca/ca.crt
-rw------- state/ca/ca.key
drwx------ state/certificates
-rw------- state/certificates/server.pem
drwx------ state/internal
drwx------ state/internal/ca
-rw------- state/internal/ca/ca.crt
-rw------- state/internal/ca/ca.key
drwx------ state/xds
-rw------- state/xds/ca.crt
-rw------- state/xds/client.crt
-rw------- state/xds/client.key
`
	if diff := cmp.Diff(want, tree(t, dir)); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
}

func TestStoreWithoutFolderWritesNothing(t *testing.T) {
	t.Chdir(t.TempDir())
	ca, made, err := Store{}.Authority(noon)
	if err != nil || !made {
		t.Fatal(made, err)
	}
	p, issued, err := Store{}.Certificate("server", Request{Hosts: []string{"localhost"}, Lifetime: day}, ca, noon)
	if err != nil || !issued || p.Leaf.CheckSignatureFrom(ca.Certificate) != nil {
		t.Fatal(issued, err)
	}
	if _, _, err := (Store{}).Internal(noon); err != nil {
		t.Fatal(err)
	}
	if left := tree(t, "."); left != "" {
		t.Error("it wrote\n" + left)
	}
}

// TestAuthorityIsNeverOverwritten damages an authority in every way and holds
// that the next start says what to do and leaves every byte as it was.
func TestAuthorityIsNeverOverwritten(t *testing.T) {
	other := authority(t)
	leaf := must[Pair](t)(other.Issue(Request{Hosts: []string{"a"}, Lifetime: day}, noon))
	lower := under(t, other)
	for _, c := range []struct {
		name     string
		crt, key []byte // nil: the file is missing; keep: as it was
		now      time.Time
		want     string
	}{
		{"no certificate", nil, keep, noon, "ca.crt is missing beside ca.key: put the right file back, or move the folder away"},
		{"another key", keep, other.keyPEM, noon, "the key is not that of the certificate of \"usher local CA\""},
		{"empty key", keep, []byte{}, noon, "key: the file is empty"},
		{"truncated certificate", other.PEM[:100], keep, noon, "chain: only 0 of the file's 1 PEM blocks can be read"},
		{"expired", keep, keep, noon.Add(AuthorityLifetime), "expired on"},
		{"clock set back", keep, keep, noon.Add(-2 * time.Hour), "is this machine's clock right?"},
		{"an authority under another", lower.Chain, lower.Key, noon, "only a self-signed authority can be used here"},
		{"a leaf", leaf.Chain, leaf.Key, noon, "is not that of an authority"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := Store{Dir: t.TempDir()}
			if _, _, err := s.Authority(noon); err != nil {
				t.Fatal(err)
			}
			put(t, filepath.Join(s.Dir, "ca", "ca.crt"), c.crt)
			put(t, filepath.Join(s.Dir, "ca", "ca.key"), c.key)
			before := contents(t, s.Dir)
			_, made, err := s.Authority(c.now)
			if err == nil || made || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), s.Dir) {
				t.Errorf("want %q, got %v", c.want, err)
			}
			if len(Faults(err)) != 0 {
				t.Error("a fault of a file that cluster.yaml does not name")
			}
			if diff := cmp.Diff(before, contents(t, s.Dir)); diff != "" {
				t.Errorf("-before +after\n%s", diff)
			}
		})
	}
}

// under is an authority that another one issued.
func under(t *testing.T, ca Authority) Pair {
	t.Helper()
	key, keyPEM, err := NewKey(ECDSA)
	if err != nil {
		t.Fatal(err)
	}
	template := *ca.Certificate
	template.RawSubject, template.Subject = nil, pkix.Name{CommonName: "lower"}
	cert := must[*x509.Certificate](t)(sign(&template, ca.Certificate, key.Public(), ca.key))
	return Pair{Chain: certificatesPEM(cert), Key: keyPEM, Leaf: cert}
}

// keep stands for a file that stays as it is.
var keep = []byte("keep")

func put(t *testing.T, file string, text []byte) {
	t.Helper()
	switch {
	case text == nil:
		if err := os.Remove(file); err != nil {
			t.Fatal(err)
		}
	case !bytes.Equal(text, keep):
		write(t, file, text)
	}
}

// contents are a folder's files with their text.
func contents(t *testing.T, dir string) map[string]string {
	t.Helper()
	all := map[string]string{}
	err := filepath.Walk(dir, func(path string, info os.FileInfo, err error) error {
		if err == nil && info.Mode().IsRegular() {
			all[path] = string(must[[]byte](t)(os.ReadFile(path)))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func TestAuthorityThatCannotBeReadIsLeftAlone(t *testing.T) {
	s := Store{Dir: t.TempDir()}
	key := filepath.Join(s.Dir, "ca", "ca.key")
	if err := makeDir(key); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(s.Dir, "ca", "ca.crt"), nil)
	_, made, err := s.Authority(noon)
	if err == nil || made || !strings.Contains(err.Error(), "cannot be read: read "+key+": not a regular file: usher must run as") {
		t.Error(made, err)
	}
}

func TestAuthorityFolderMayBeThereEmpty(t *testing.T) {
	s := Store{Dir: t.TempDir()}
	if err := makeDir(filepath.Join(s.Dir, "ca")); err != nil {
		t.Fatal(err)
	}
	if _, made, err := s.Authority(noon); err != nil || !made {
		t.Error(made, err)
	}
}

func TestAuthorityFolderWithOtherFilesIsLeftAlone(t *testing.T) {
	s := Store{Dir: t.TempDir()}
	if err := makeDir(filepath.Join(s.Dir, "ca")); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(s.Dir, "ca", "cakey.pem"), []byte("x"))
	_, made, err := s.Authority(noon)
	if err == nil || made || !strings.Contains(err.Error(), "neither ca.crt nor ca.key, but other files") {
		t.Error(made, err)
	}
	if got := tree(t, s.Dir); got != "drwx------ ca\n-rw------- ca/cakey.pem\n" {
		t.Error(got)
	}
}

func TestCertificateIsIssuedAnewWhen(t *testing.T) {
	hosts, life := []string{"localhost", "127.0.0.1"}, 90*day
	first := authority(t)
	file := func(s Store) string { return filepath.Join(s.Dir, "certificates", "server.pem") }
	for _, c := range []struct {
		name   string
		hosts  []string
		life   time.Duration
		use    Use
		key    KeyType
		ca     Authority
		later  time.Duration
		damage func(t *testing.T, s Store)
		issued bool
	}{
		{name: "nothing changed"},
		{name: "hosts in another order", hosts: []string{"127.0.0.1", "LOCALHOST", "localhost"}},
		{name: "a second before two thirds", later: 60*day - time.Hour - time.Second},
		{name: "two thirds have passed, and the spread", later: 63*day - time.Hour, issued: true},
		{name: "expired", later: 90 * day, issued: true},
		{name: "the clock was set back", later: -2 * time.Hour, issued: true},
		{name: "a host more", hosts: []string{"localhost", "127.0.0.1", "a"}, issued: true},
		{name: "a host less", hosts: []string{"localhost"}, issued: true},
		{name: "a longer lifetime", life: 91 * day, issued: true},
		{name: "a shorter lifetime", life: 89 * day, issued: true},
		{name: "for nodes as well", use: ForBoth, issued: true},
		{name: "another kind of key", key: RSA, issued: true},
		{name: "another authority", ca: authority(t), issued: true},
		{name: "the file is gone", damage: func(t *testing.T, s Store) { put(t, file(s), nil) }, issued: true},
		{name: "the file is empty", damage: func(t *testing.T, s Store) { write(t, file(s), nil) }, issued: true},
		{name: "the file is cut off", damage: func(t *testing.T, s Store) {
			write(t, file(s), must[[]byte](t)(os.ReadFile(file(s)))[:500])
		}, issued: true},
		{name: "the key is another", damage: func(t *testing.T, s Store) {
			p := must[Pair](t)(kept(file(s), noon))
			write(t, file(s), append(bytes.Clone(first.keyPEM), p.Chain...))
		}, issued: true},
		{name: "it was for clients", damage: func(t *testing.T, s Store) {
			p := must[Pair](t)(first.Issue(Request{Hosts: hosts, Lifetime: life, Use: ForClients}, noon))
			write(t, file(s), append(p.Key, p.Chain...))
		}, issued: true},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := Store{Dir: t.TempDir()}
			if _, _, err := s.Certificate("server", Request{Hosts: hosts, Lifetime: life}, first, noon); err != nil {
				t.Fatal(err)
			}
			if c.damage != nil {
				c.damage(t, s)
			}
			want := Request{Hosts: or(c.hosts, hosts), Lifetime: max(c.life, 0), Use: c.use, Key: c.key}
			if want.Lifetime == 0 {
				want.Lifetime = life
			}
			ca, now := first, noon.Add(c.later)
			if c.ca.Certificate != nil {
				ca = c.ca
			}
			p, issued, err := s.Certificate("server", want, ca, now)
			if err != nil || issued != c.issued {
				t.Fatalf("issued %t, %v", issued, err)
			}
			if saved := must[Pair](t)(kept(file(s), p.Leaf.NotBefore)); !bytes.Equal(saved.Chain, p.Chain) || !bytes.Equal(saved.Key, p.Key) {
				t.Error("what is returned is not what is kept")
			}
			if p.Leaf.CheckSignatureFrom(ca.Certificate) != nil {
				t.Error("not of this authority")
			}
			if left := tree(t, s.Dir); left != "drwx------ certificates\n-rw------- certificates/server.pem\n" {
				t.Error("left behind\n" + left)
			}
		})
	}
}

func or(a, b []string) []string {
	if a != nil {
		return a
	}
	return b
}

// TestLeafCutShortByTheAuthorityIsKept would else be issued at every look.
func TestLeafCutShortByTheAuthorityIsKept(t *testing.T) {
	s, ca := Store{Dir: t.TempDir()}, authority(t)
	now := ca.Certificate.NotAfter.Add(-10 * day)
	for _, want := range []bool{true, false} {
		if _, issued, err := s.Certificate("server", Request{Hosts: []string{"a"}, Lifetime: 90 * day}, ca, now); err != nil || issued != want {
			t.Error(issued, err)
		}
	}
}

func TestCertificateNamesStayInTheFolder(t *testing.T) {
	s, ca := Store{Dir: t.TempDir()}, authority(t)
	for _, name := range []string{"", "../x", "a/b", "/etc/x", "a\x00b", "ä", strings.Repeat("a", 201)} {
		if _, _, err := s.Certificate(name, Request{Hosts: []string{"a"}, Lifetime: day}, ca, noon); err == nil || !strings.Contains(err.Error(), "cannot name a certificate") {
			t.Errorf("%q: %v", name, err)
		}
	}
	for _, name := range []string{".", "..", "..."} {
		if _, _, err := s.Certificate(name, Request{Hosts: []string{"a"}, Lifetime: day}, ca, noon); err != nil {
			t.Errorf("%q: %v", name, err)
		}
	}
	want := "drwx------ certificates\n-rw------- certificates/....pem\n-rw------- certificates/...pem\n-rw------- certificates/..pem\n"
	if diff := cmp.Diff(want, tree(t, s.Dir)); diff != "" {
		t.Error(diff)
	}
}

// TestCertificateThatCannotBeKeptStillServes has a file where the folder ought
// to be.
func TestCertificateThatCannotBeKeptStillServes(t *testing.T) {
	s, ca := Store{Dir: t.TempDir()}, authority(t)
	write(t, filepath.Join(s.Dir, "certificates"), nil)
	p, issued, err := s.Certificate("server", Request{Hosts: []string{"a"}, Lifetime: day}, ca, noon)
	if err == nil || !issued || p.Leaf == nil {
		t.Fatal(issued, err)
	}
	if _, err := ParsePair(p.Chain, p.Key, noon); err != nil {
		t.Error(err)
	}
}

func TestAReadOnlyStoreUsesWhatIsKeptAndKeepsNothing(t *testing.T) {
	s := Store{Dir: t.TempDir()}
	reader := Store{Dir: s.Dir, ReadOnly: true}
	if _, made, err := reader.Authority(noon); err != nil || !made || tree(t, s.Dir) != "" {
		t.Fatalf("made %t, %v, left\n%s", made, err, tree(t, s.Dir))
	}
	ca, _, err := s.Authority(noon)
	if err != nil {
		t.Fatal(err)
	}
	p, _, err := s.Certificate("server", Request{Hosts: []string{"a"}, Lifetime: day}, ca, noon)
	if err != nil {
		t.Fatal(err)
	}
	before := tree(t, s.Dir)
	again, made, err := reader.Authority(noon)
	if err != nil || made || !again.Certificate.Equal(ca.Certificate) {
		t.Errorf("another authority, made %t, %v", made, err)
	}
	if q, issued, err := reader.Certificate("server", Request{Hosts: []string{"a"}, Lifetime: day}, again, noon); err != nil || issued || !q.Leaf.Equal(p.Leaf) {
		t.Errorf("another certificate, issued %t, %v", issued, err)
	}
	if _, issued, err := reader.Certificate("other", Request{Hosts: []string{"a"}, Lifetime: day}, again, noon); err != nil || !issued || tree(t, s.Dir) != before {
		t.Errorf("issued %t, %v, left\n%s", issued, err, tree(t, s.Dir))
	}
}
