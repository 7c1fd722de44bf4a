package main

import (
	"bytes"
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"usher/cmd/usher/status"
	"usher/model"
	"usher/xds/pki"
)

// alone is a loop without Envoys and validation, over a folder of its own.
func alone(t testing.TB) *loop {
	t.Helper()
	dir := t.TempDir()
	p := places{config: filepath.Join(dir, "cluster.yaml"), state: filepath.Join(dir, "state")}
	if err := p.makeState(); err != nil {
		t.Fatal(err)
	}
	l := newLoop(p, pki.Store{Dir: p.state}, nil)
	l.elsewhere = &elsewhere{} // there may be no Envoy at all
	l.leaveDue = time.Now().AddDate(100, 0, 0)
	return l
}

func (l *loop) save(t testing.TB, text string) {
	t.Helper()
	if err := l.file(t.Context(), model.Change{Data: []byte(text)}); err != nil {
		t.Fatal(err)
	}
}

const small = `
listeners: [{name: https, address: "127.0.0.1:8443", tls: {certificate: server}, routes: [{path: /, pool: p}]}]
pools: [{name: p, nodes: [{name: n, address: "127.0.0.1:9443"}]}]
certificates: [{name: server, hosts: [localhost]}]
`

func TestALoopThatCouldNotKeepAFileSleepsAllTheSame(t *testing.T) {
	l, now := alone(t), time.Now()
	l.save(t, small)
	good := l.state
	l.accept(now)
	before := l.now
	l.save(t, small+"# an edit\n")
	l.state = filepath.Join(good, "cannot be written") // as on a full disk
	l.accept(now)
	if rest := l.rest(now); rest > keepAgain {
		t.Errorf("tried again after %s", rest)
	}
	l.now = before // taken back: it is what is kept
	later := now.Add(time.Minute)
	l.renew(later)
	l.accept(later)
	if rest := l.rest(later); rest < time.Second {
		t.Errorf("the loop would spin: its rest is %s", rest)
	}
}

// pair writes a certificate and its key, as an operator's tool does.
func pair(t *testing.T, dir string, now time.Time) pki.Pair {
	t.Helper()
	ca, err := pki.NewAuthority("their CA", pki.AuthorityLifetime, now)
	if err != nil {
		t.Fatal(err)
	}
	p, err := ca.Issue(pki.Request{Hosts: []string{"localhost"}, Lifetime: 24 * time.Hour}, now)
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string][]byte{"server.pem": p.Chain, "server.key": p.Key} {
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return p
}

// TestARenewedFileIsServedWhileTheClusterFileIsFaulty: a faulty save that is
// left lying must not keep an expiring certificate in use.
func TestARenewedFileIsServedWhileTheClusterFileIsFaulty(t *testing.T) {
	l := alone(t)
	dir := filepath.Dir(l.config)
	first := pair(t, dir, time.Now())
	good := strings.Replace(small, "hosts: [localhost]", "chain: server.pem, key: server.key", 1)
	l.save(t, good)
	if !l.now.pairs["server"].Leaf.Equal(first.Leaf) {
		t.Fatal("the file's certificate is not served")
	}
	faulty := strings.Replace(good, "pool: p}", "pool: q}", 1)
	l.save(t, faulty)
	second := pair(t, dir, time.Now())
	l.save(t, faulty)
	if !l.now.pairs["server"].Leaf.Equal(second.Leaf) {
		t.Error("the old certificate is served")
	}
	if len(l.problems) != 1 || l.now.source != status.FromFile {
		t.Errorf("problems %v, source %s", l.problems, l.now.source)
	}
}

// TestFilesThatAFaultyFileNamesAreWatched also while what was accepted before
// is served: putting the missing one in place is what the operator does.
func TestFilesThatAFaultyFileNamesAreWatched(t *testing.T) {
	l := alone(t)
	dir := filepath.Dir(l.config)
	if err := os.WriteFile(l.places.accepted(), []byte(small), 0o600); err != nil {
		t.Fatal(err)
	}
	missing := strings.Replace(small, "hosts: [localhost]", "chain: server.pem, key: server.key", 1)
	if err := os.WriteFile(l.config, []byte(missing), 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	go func() { _ = l.watcher.Run(ctx) }()
	take := func() {
		t.Helper()
		select {
		case c := <-l.watcher.Changes():
			if err := l.file(ctx, c); err != nil {
				t.Fatal(err)
			}
		case <-ctx.Done():
			t.Fatal("no change was reported")
		}
	}
	take()
	if l.now.source != status.FromAccepted {
		t.Fatalf("source %q", l.now.source)
	}
	want := pair(t, dir, time.Now())
	for l.now.source != status.FromFile { // chain and key are two files, and maybe two reports
		take()
	}
	if !l.now.pairs["server"].Leaf.Equal(want.Leaf) {
		t.Error("another certificate is served")
	}
}

// TestTimeTravel is a certificate's life: renewed at two thirds, after a sleep
// of the machine, and after a downtime past its end.
func TestTimeTravel(t *testing.T) {
	l := alone(t)
	l.save(t, strings.Replace(small, "hosts: [localhost]", "hosts: [localhost], lifetime: 90d", 1))
	leaf := func() int64 { return l.now.pairs["server"].Leaf.NotBefore.Unix() }
	first, due := leaf(), l.now.due
	const day = 24 * time.Hour
	if left := time.Until(due); left < 59*day || left > 64*day {
		t.Errorf("due in %s", left)
	}
	if rest := l.rest(time.Now()); rest > time.Minute {
		t.Errorf("a machine that wakes up is noticed after %s", rest)
	}
	l.renew(due.Add(-time.Second))
	if leaf() != first {
		t.Error("renewed before it was due")
	}
	published := l.now.at
	l.renew(due)
	if leaf() == first || !l.now.at.After(published) {
		t.Error("not renewed when it was due")
	}
	second := leaf()
	l.renew(l.now.due.Add(20 * day)) // the lid was closed for long
	if leaf() == second {
		t.Error("not renewed after a sleep")
	}
	third, end := leaf(), l.now.pairs["server"].Leaf.NotAfter
	again := newLoop(l.places, l.store, nil)
	next, problems := load(l.config, l.now.data, again.store, end.Add(day))
	if len(problems) > 0 || next.pairs["server"].Leaf.NotBefore.Unix() == third {
		t.Errorf("not issued anew after a downtime past its end: %v", problems)
	}
}

// TestWhatIsNeglectedIsNamed: keys that everybody can read, and files that are
// about to expire.
func TestWhatIsNeglectedIsNamed(t *testing.T) {
	l := alone(t)
	dir := filepath.Dir(l.config)
	pair(t, dir, time.Now().Add(-21*time.Hour)) // of 24
	good := strings.Replace(small, "hosts: [localhost]", "chain: server.pem, key: server.key", 1)
	l.save(t, good)
	if w := strings.Join(l.now.warnings, "\n"); !strings.Contains(w, "certificate server expires on") || strings.Contains(w, "chmod") {
		t.Errorf("warnings: %s", w)
	}
	pair(t, dir, time.Now())
	for file, mode := range map[string]os.FileMode{filepath.Join(dir, "server.key"): 0o644, l.state: 0o755} {
		if err := os.Chmod(file, mode); err != nil {
			t.Fatal(err)
		}
	}
	l.save(t, good)
	w := strings.Join(l.now.warnings, "\n")
	for _, want := range []string{"chmod 600 " + filepath.Join(dir, "server.key"), l.state + " is open to others (mode 0755): chmod 700"} {
		if !strings.Contains(w, want) {
			t.Errorf("%q is missing in %s", want, w)
		}
	}
	if strings.Contains(w, "no certificate that it shows") {
		t.Errorf("warnings: %s", w)
	}
	l.save(t, strings.Replace(good, "tls: {certificate", "hosts: [localhost, other.example.org], tls: {certificate", 1))
	if w := strings.Join(l.now.warnings, "\n"); !strings.Contains(w, "listener https: no certificate that it shows is for other.example.org") || strings.Contains(w, "for localhost") {
		t.Errorf("warnings: %s", w)
	}
	if strings.Contains(w, "expires") {
		t.Errorf("warnings: %s", w)
	}
}

// TestARenewalThatFailsSaysWhy in the log, and does not call itself one.
func TestARenewalThatFailsSaysWhy(t *testing.T) {
	l := alone(t)
	l.save(t, small)
	var said bytes.Buffer
	l.log = slog.New(slog.NewTextHandler(&said, nil))
	if err := os.Remove(filepath.Join(l.state, "ca", "ca.key")); err != nil {
		t.Fatal(err)
	}
	leaf, due := l.now.pairs["server"].Leaf, l.now.due
	l.renew(due)
	if text := said.String(); strings.Contains(text, "renewed") || !strings.Contains(text, "put it there (mode 0600)") {
		t.Errorf("the log says %s", text)
	}
	if !l.now.pairs["server"].Leaf.Equal(leaf) || !l.now.due.Equal(due.Add(tryAgain)) {
		t.Errorf("tried again at %s", l.now.due)
	}
	l.renew(leaf.NotAfter.Add(time.Second))
	if text := said.String(); !strings.Contains(text, "level=ERROR") {
		t.Errorf("after its end the log says %s", text)
	}
}

// TestAStoreOfOthersKeepsItsOwnerAndMode: a server that can't read its trust
// store any more does not start.
func TestAStoreOfOthersKeepsItsOwnerAndMode(t *testing.T) {
	file := filepath.Join(t.TempDir(), "client-truststore.jks")
	if err := os.WriteFile(file, []byte("before"), 0o640); err != nil {
		t.Fatal(err)
	}
	owner := os.Geteuid()
	if owner == 0 { // who else may give a file away
		owner = 4711
	}
	if err := os.Chown(file, owner, -1); err != nil {
		t.Fatal(err)
	}
	if err := replaceAsItIs(file, []byte("after")); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(file)
	if err != nil {
		t.Fatal(err)
	}
	if uid := info.Sys().(*syscall.Stat_t).Uid; int(uid) != owner || info.Mode().Perm() != 0o640 {
		t.Errorf("owner %d, mode %v", uid, info.Mode())
	}
	if text, err := os.ReadFile(file); string(text) != "after" {
		t.Errorf("%s, %v", text, err)
	}
}
