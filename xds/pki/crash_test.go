package pki

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// live goes through everything that is ever written to a folder, from wherever
// an earlier process left it: an authority, a certificate, one for elsewhere, an
// import, the whole rotation.
func live(dir string) error {
	s := Store{Dir: dir}
	serve := func() (Authorities, error) {
		a, _, err := s.Authorities(noon)
		if err == nil {
			_, _, err = s.Certificate("server", Request{Hosts: []string{"localhost"}, Lifetime: 90 * day}, a.Issuing, noon)
		}
		return a, err
	}
	a, err := serve()
	if err != nil {
		return err
	}
	if a.Phase == Steady && a.Issuing.Certificate.Subject.CommonName == LocalName {
		p, err := s.IssueElsewhere(Request{Hosts: []string{"node1"}, Lifetime: day}, noon)
		if err != nil {
			return err
		}
		if err := s.Import("node1", p); err != nil && !errors.Is(err, os.ErrExist) {
			return err
		}
		next, err := AuthorityRequest{Name: "next CA", Lifetime: AuthorityLifetime}.New(noon)
		if err != nil {
			return err
		}
		if a, err = s.Introduce(next); err != nil {
			return err
		}
	}
	if a.Phase == Introduced {
		if _, err := s.Replace(); err != nil {
			return err
		}
		if a, err = serve(); err != nil {
			return err
		}
	}
	if a.Phase == Replaced {
		_, err = s.Retire()
	}
	return err
}

// killedAt runs live in another process, which dies before its n-th call of that
// name. It tells whether there was an n-th.
func killedAt(t *testing.T, dir, call string, n int) bool {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "strace", "-f", "-qq", "-o", os.DevNull, "-e", "trace="+call,
		"-e", fmt.Sprintf("inject=%s:signal=SIGKILL:when=%d", call, n), self)
	cmd.Env = append(os.Environ(), "PKI_TEST_LIVE="+dir, "GORACE=atexit_sleep_ms=0", "GOMAXPROCS=1")
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	switch {
	case err == nil:
		return false
	case errors.As(err, &exit) && strings.Contains(exit.String(), "killed"):
		return true
	}
	t.Fatalf("%v (install strace, if it is missing)\n%s", err, out)
	return false
}

// TestKilledAtEveryStep kills a process before each of its changes of the disk:
// what it leaves loads, and the next process goes on from there to the end.
func TestKilledAtEveryStep(t *testing.T) {
	steps := map[string]int{}
	for _, call := range []string{"mkdirat", "openat", "fchmod", "fsync", "renameat", "renameat2", "unlinkat"} {
		for n := 1; killedThere(t, call, n); n++ {
			steps[call]++
		}
	}
	for _, call := range []string{"mkdirat", "fchmod", "fsync", "renameat", "renameat2"} {
		if steps[call] == 0 {
			t.Errorf("never killed at %s", call)
		}
	}
	t.Logf("killed at %v", steps)
}

// killedThere is false where there is no such step.
func killedThere(t *testing.T, call string, n int) bool {
	t.Helper()
	dir, at := filepath.Join(t.TempDir(), "state"), fmt.Sprintf("killed at %s %d", call, n)
	if !killedAt(t, dir, call, n) {
		return false
	}
	s := Store{Dir: dir}
	a, _, err := s.Authorities(noon)
	if err != nil {
		t.Fatalf("%s: %v\n%s", at, err, tree(t, dir))
	}
	if kept, err := s.Kept("server"); err == nil && !a.Issuing.Issued(kept.Leaf) && !a.Other.Issued(kept.Leaf) {
		t.Errorf("%s: what serves is of an authority that is not trusted", at)
	}
	if err := live(dir); err != nil {
		t.Fatalf("%s, the next process: %v\n%s", at, err, tree(t, dir))
	}
	a, made, err := s.Authorities(noon)
	if err != nil || made || a.Phase != Steady || a.Issuing.Certificate.Subject.CommonName != "next CA" {
		t.Fatalf("%s, at the end: phase %s, made %t, %v", at, a.Phase, made, err)
	}
	return true
}
