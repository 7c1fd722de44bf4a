package pki

import (
	"bytes"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestParseRootsKeepsEachAuthorityOnce(t *testing.T) {
	a, b := authority(t), authority(t)
	text := slices.Concat([]byte("# the first\n"), a.PEM, []byte("\n# the second\n"), b.PEM, a.PEM)
	roots, count, err := ParseRoots(text)
	if err != nil || count != 2 || !bytes.Equal(roots, slices.Concat(a.PEM, b.PEM)) {
		t.Errorf("%d roots, %v\n%s", count, err, roots)
	}
	file := at(t, "roots.pem", text)
	if got := must[[]byte](t)(LoadRoots(file)); !bytes.Equal(got, roots) {
		t.Errorf("from the file\n%s", got)
	}
}

func TestParseRootsRefuses(t *testing.T) {
	ca := authority(t)
	for name, c := range map[string]struct{ text, want string }{
		"empty":       {" \n", "ca: the file is empty"},
		"junk":        {"junk", "ca: there is no PEM block in the file"},
		"DER":         {string(ca.Certificate.Raw), "ca: the file is DER or PKCS#12"},
		"a key":       {string(ca.PEM) + string(ca.keyPEM), `ca: PEM block 2 is "PRIVATE KEY", not a certificate`},
		"cut off":     {string(ca.PEM) + string(ca.PEM[:200]), "ca: only 1 of the file's 2 PEM blocks"},
		"wrong bytes": {strings.Replace(string(ca.PEM), "MII", "AAA", 1), "ca: PEM block 1 is not a certificate"},
	} {
		if _, _, err := ParseRoots([]byte(c.text)); err == nil || !strings.HasPrefix(err.Error(), c.want) || len(Faults(err)) != 1 {
			t.Errorf("%s: want %q, got %v", name, c.want, err)
		}
	}
}

func TestSystemRoots(t *testing.T) {
	ca, none := authority(t), filepath.Join(t.TempDir(), "none")
	broken := strings.Replace(string(ca.PEM), "MII", "AAA", 1)
	file := at(t, "ca.pem", slices.Concat([]byte(broken), ca.PEM))
	t.Setenv("SSL_CERT_FILE", file)
	if roots := must[[]byte](t)(SystemRoots()); !bytes.Equal(roots, ca.PEM) {
		t.Errorf("$SSL_CERT_FILE gives\n%s", roots)
	}
	t.Setenv("SSL_CERT_FILE", none)
	if _, err := SystemRoots(); err == nil || err.Error() != "$SSL_CERT_FILE: stat "+none+": no such file or directory" {
		t.Error("a missing $SSL_CERT_FILE:", err)
	}
	if roots, err := firstRoots([]string{none, file}); err != nil || !bytes.Equal(roots, ca.PEM) {
		t.Errorf("the second place: %v\n%s", err, roots)
	}
	if roots, err := firstRoots([]string{none}); err != nil || roots != nil {
		t.Errorf("no place: %v\n%s", err, roots)
	}
}

// TestRootsOfThisSystem reads what is really there, if anything.
func TestRootsOfThisSystem(t *testing.T) {
	t.Setenv("SSL_CERT_FILE", "")
	roots := must[[]byte](t)(SystemRoots())
	if len(roots) == 0 {
		return // nothing is installed here
	}
	if _, count, err := ParseRoots(roots); err != nil || count < 10 {
		t.Error(count, err)
	}
}
