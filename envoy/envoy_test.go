package envoy

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

const patience = 15 * time.Second

func TestMain(m *testing.M) {
	if dir := os.Getenv("USHER_TEST_SUPERVISE"); dir != "" {
		superviseForEver(dir)
	}
	os.Exit(m.Run())
}

// theBinary is the pinned one.
func theBinary(t *testing.T) Binary {
	t.Helper()
	b, err := Find(filepath.Join("..", ".tools", "envoy"))
	if err != nil {
		t.Fatalf("%v\nrun `make envoy` first", err)
	}
	return b
}

// fake writes a script that says it is an Envoy of some version.
func fake(t *testing.T, dir, version string) string {
	t.Helper()
	path := filepath.Join(dir, "envoy")
	text := fmt.Sprintf("#!/bin/sh\necho 'envoy  version: 0123abc/%s/Clean/RELEASE/BoringSSL'\n", version)
	if err := os.WriteFile(path, []byte(text), 0o700); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestFindLooksInOrder(t *testing.T) {
	given, env, path := t.TempDir(), t.TempDir(), t.TempDir()
	t.Setenv("USHER_ENVOY", "")
	t.Setenv("PATH", path)
	if _, err := Find(""); !errors.Is(err, ErrNotFound) || !strings.Contains(err.Error(), "make envoy") {
		t.Errorf("nowhere: %v", err)
	}
	fake(t, path, "1.37.0")
	if b, err := Find(""); err != nil || b.Version != "1.37.0" {
		t.Errorf("on the PATH: %+v %v", b, err)
	}
	t.Setenv("USHER_ENVOY", fake(t, env, "1.38.0"))
	if b, err := Find(""); err != nil || b.Version != "1.38.0" {
		t.Errorf("by $USHER_ENVOY: %+v %v", b, err)
	}
	if b, err := Find(fake(t, given, "1.39.0")); err != nil || b.Version != "1.39.0" {
		t.Errorf("given: %+v %v", b, err)
	}
}

func TestAnEnvoyThatIsTooOldIsRefusedByName(t *testing.T) {
	_, err := Find(fake(t, t.TempDir(), "1.20.3"))
	if !errors.Is(err, ErrNotFound) || !strings.Contains(err.Error(), "1.20.3") || !strings.Contains(err.Error(), Oldest) {
		t.Error(err)
	}
	if _, err := Find("/bin/echo"); !errors.Is(err, ErrNotFound) {
		t.Errorf("something else: %v", err)
	}
	if _, err := Find(filepath.Join(t.TempDir(), "none")); !errors.Is(err, ErrNotFound) {
		t.Errorf("nothing: %v", err)
	}
}

func TestOlderComparesNumbers(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want bool
	}{{"1.9.0", "1.10.0", true}, {"1.10.0", "1.9.9", false}, {"1.36.0", "1.36.0", false}, {"1.36.0", "2.0.0", true}} {
		if older(c.a, c.b) != c.want {
			t.Errorf("older(%s, %s) is not %t", c.a, c.b, c.want)
		}
	}
}

func TestValidateSaysWhatEnvoySays(t *testing.T) {
	b := theBinary(t)
	if err := Validate(t.Context(), b, []byte(`{}`)); err != nil {
		t.Errorf("an empty bootstrap: %v", err)
	}
	large := `{"static_resources":{"clusters":[{"name":"` + strings.Repeat("x", 200_000) + `"}]}}`
	if err := Validate(t.Context(), b, []byte(large)); err != nil {
		t.Errorf("more than a pipe holds: %v", err)
	}
	var refused *Refusal
	err := Validate(t.Context(), b, []byte(`{"static_resources":{"clusters":[{"name":"x","connect_timeout":"-1s"}]}}`))
	if !errors.As(err, &refused) || !strings.Contains(refused.Words, "Expected positive duration") || strings.Contains(refused.Words, "\n") {
		t.Errorf("a bad bootstrap: %v", err)
	}
	if err := Validate(t.Context(), Binary{Path: "/bin/false"}, []byte(large)); err == nil {
		t.Error("an Envoy that dies at once")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := Validate(ctx, b, []byte(`{}`)); err == nil {
		t.Errorf("with a context that has ended: %v", err)
	}
}

func TestEveryBootstrapIsTakenByEnvoy(t *testing.T) {
	b := theBinary(t)
	for name, boot := range map[string]Bootstrap{
		"socket":  {Node: "n", Socket: "xds.sock", Admin: AdminSocket, MaxHeap: 1 << 30},
		"address": {Node: "n", Address: "usher:18000", Folder: t.TempDir()},
		"figures": {Node: "n", Address: "usher:18000", Folder: t.TempDir(), Figures: 9902},
	} {
		t.Run(name, func(t *testing.T) {
			if boot.Folder != "" {
				certificates(t, boot.Folder)
			}
			text, err := boot.JSON()
			if err != nil {
				t.Fatal(err)
			}
			if err := Validate(t.Context(), b, text); err != nil {
				t.Error(err)
			}
		})
	}
	if _, err := (Bootstrap{Address: "nonsense"}).JSON(); err == nil {
		t.Error("nonsense for an address")
	}
}

func certificates(t *testing.T, dir string) {
	t.Helper()
	out, err := exec.Command("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
		"-keyout", dir+"/client.key", "-out", dir+"/client.crt", "-subj", "/CN=envoy").CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	pem, err := os.ReadFile(dir + "/client.crt")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(dir+"/ca.crt", pem, 0o600); err != nil {
		t.Fatal(err)
	}
}

// served is a bootstrap with a listener that answers by itself, after a second
// where the path is /slow.
func served(t *testing.T, port int) []byte {
	t.Helper()
	return fmt.Appendf(nil, `{"admin":{"address":{"pipe":{"path":"admin.sock","mode":384}}},"static_resources":{"listeners":[{"name":"l",
	"address":{"socket_address":{"address":"127.0.0.1","port_value":%d}},"filter_chains":[{"filters":[{"name":"hcm","typed_config":{
	"@type":"type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager","stat_prefix":"l",
	"route_config":{"virtual_hosts":[{"name":"v","domains":["*"],"routes":[{"match":{"prefix":"/"},"direct_response":{"status":200,"body":{"inline_string":"served"}}}]}]},
	"http_filters":[{"name":"router","typed_config":{"@type":"type.googleapis.com/envoy.extensions.filters.http.router.v3.Router"}}]}}]}]}]}}`, port)
}

func freePort(t *testing.T) int {
	t.Helper()
	lis, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer lis.Close() //nolint:errcheck // the test ends
	return lis.Addr().(*net.TCPAddr).Port
}

func until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !ok(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("waited in vain for %s", what)
		}
	}
}

func answers(port int) bool {
	c, err := net.DialTimeout("tcp", fmt.Sprintf("127.0.0.1:%d", port), time.Second)
	if err != nil {
		return false
	}
	return c.Close() == nil
}

func running(dir string) identity {
	var id identity
	data, _ := os.ReadFile(filepath.Join(dir, pidFile))
	_ = json.Unmarshal(data, &id)
	return id
}

func TestADeadEnvoyIsStartedAgainAndTheEndIsClean(t *testing.T) {
	dir := filepath.Join(t.TempDir(), strings.Repeat("deep/", 25)) // longer than a socket's address
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	port := freePort(t)
	events := make(chan Event, 100)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() {
		done <- Supervise(ctx, Options{Binary: theBinary(t), Dir: dir, Bootstrap: served(t, port), Drain: time.Second, Notify: func(e Event) { events <- e }})
	}()
	until(t, "Envoy", func() bool { return answers(port) && Admin{Socket: filepath.Join(dir, AdminSocket)}.Ready(t.Context()) })
	first := running(dir)
	if err := syscall.Kill(first.PID, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	until(t, "another Envoy", func() bool { return running(dir).PID != first.PID && answers(port) })
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
	if id := running(dir); id.lives() {
		t.Errorf("Envoy %d is still there", id.PID)
	}
	close(events)
	var states []string
	for e := range events {
		states = append(states, e.State)
	}
	if got := strings.Join(states, " "); got != "started died started draining stopped" {
		t.Errorf("events %s", got)
	}
}

func superviseForEver(dir string) {
	text, err := os.ReadFile(filepath.Join(dir, "served.json"))
	if err == nil {
		err = Supervise(context.Background(), Options{Binary: Binary{Path: os.Getenv("USHER_ENVOY")}, Dir: dir, Bootstrap: text, Drain: time.Second, Notify: func(Event) {}})
	}
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}

func TestAnEnvoyOutlivesItsUsherAndIsAdopted(t *testing.T) {
	dir, port, binary := t.TempDir(), freePort(t), theBinary(t)
	if err := os.WriteFile(filepath.Join(dir, "served.json"), served(t, port), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), "USHER_TEST_SUPERVISE="+dir, "USHER_ENVOY="+binary.Path)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	until(t, "Envoy", func() bool { return answers(port) })
	_ = cmd.Process.Kill()
	_ = cmd.Wait()
	before := running(dir)
	if !before.lives() || !answers(port) {
		t.Fatal("Envoy died with its usher")
	}
	ctx, cancel := context.WithCancel(t.Context())
	seen := make(chan Event, 10)
	done := make(chan error, 1)
	go func() {
		done <- Supervise(ctx, Options{Binary: binary, Dir: dir, Bootstrap: served(t, port), Drain: time.Second, Notify: func(e Event) { seen <- e }})
	}()
	if e := <-seen; e.State != Adopted || e.PID != before.PID {
		t.Errorf("%+v, want %d adopted", e, before.PID)
	}
	cancel()
	if err := <-done; err != nil || before.lives() {
		t.Errorf("%v, alive %t", err, before.lives())
	}
}

func TestAnEnvoyIsLeftWhereThatIsWhyItsUsherEnds(t *testing.T) {
	dir, port := t.TempDir(), freePort(t)
	ctx, cancel := context.WithCancelCause(t.Context())
	events := make(chan Event, 10)
	o := Options{Binary: theBinary(t), Dir: dir, Bootstrap: served(t, port), Drain: time.Second, Notify: func(e Event) { events <- e }}
	done := make(chan error, 1)
	go func() { done <- Supervise(ctx, o) }()
	until(t, "Envoy", func() bool { return answers(port) })
	first := running(dir)
	t.Cleanup(func() { _ = syscall.Kill(first.PID, syscall.SIGKILL) })
	cancel(ErrLeave)
	if err := <-done; err != nil || !first.lives() || !answers(port) {
		t.Fatalf("%v; alive %t", err, first.lives())
	}
	if started, left := <-events, <-events; started.State != Started || left.State != Left || left.PID != first.PID {
		t.Errorf("%+v, then %+v", started, left)
	}
}

func TestAnEnvoyThatCannotBeRecordedServesAllTheSame(t *testing.T) {
	dir, port := t.TempDir(), freePort(t)
	inTheWay := filepath.Join(dir, pidFile, "as a folder is")
	if err := os.MkdirAll(inTheWay, 0o700); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	events := make(chan Event, 100)
	done := make(chan error, 1)
	go func() {
		done <- Supervise(ctx, Options{Binary: theBinary(t), Dir: dir, Bootstrap: served(t, port), Drain: time.Second, Notify: func(e Event) { events <- e }})
	}()
	first := <-events
	if e := <-events; e.State != Unrecorded || e.PID != first.PID || !strings.Contains(e.Words, pidFile) {
		t.Errorf("%+v after %+v", e, first)
	}
	until(t, "Envoy", func() bool { return answers(port) })
	if err := os.RemoveAll(filepath.Join(dir, pidFile)); err != nil {
		t.Fatal(err)
	}
	until(t, "the record", func() bool { return running(dir).PID == first.PID })
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
	close(events)
	var states []string
	for e := range events {
		states = append(states, e.State)
	}
	if got := strings.Join(states, " "); got != "draining stopped" {
		t.Errorf("events %s, want one Envoy and its end", got)
	}
}

func TestALaterProcessOfTheSameNumberIsNotAdopted(t *testing.T) {
	id := identity{PID: os.Getpid(), Start: "1"}
	if id.lives() {
		t.Error("this process is no Envoy of an earlier time")
	}
}

func TestAStateFolderHasOneOwner(t *testing.T) {
	dir := t.TempDir()
	release, err := Lock(dir)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Lock(dir); err == nil || !strings.Contains(err.Error(), fmt.Sprint(os.Getpid())) {
		t.Errorf("a second owner: %v", err)
	}
	release()
	again, err := Lock(dir)
	if err != nil {
		t.Fatal(err)
	}
	again()
}

func TestTheLogIsReadLineByLine(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, LogFile)
	write := func(text string, flag int) {
		t.Helper()
		f, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|flag, 0o600)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close() //nolint:errcheck // written
		if _, err := f.WriteString(text); err != nil {
			t.Fatal(err)
		}
	}
	write("before\n", os.O_APPEND)
	ctx, cancel := context.WithCancel(t.Context())
	lines := make(chan string, 10)
	done := make(chan struct{})
	go func() { defer close(done); TailLog(ctx, path, func(l string) { lines <- l }) }()
	time.Sleep(50 * time.Millisecond) // until it has seen the end
	write("one\nha", os.O_APPEND)
	if got := <-lines; got != "one" {
		t.Errorf("%q", got)
	}
	write("lf\n", os.O_APPEND)
	if got := <-lines; got != "half" {
		t.Errorf("%q", got)
	}
	write("new\n", os.O_TRUNC)
	if got := <-lines; got != "new" {
		t.Errorf("%q", got)
	}
	cancel()
	<-done
	write("between two ushers\n", os.O_APPEND)
	ctx, cancel = context.WithCancel(t.Context())
	done = make(chan struct{})
	go func() { defer close(done); TailLog(ctx, path, func(l string) { lines <- l }) }()
	if got := <-lines; got != "between two ushers" {
		t.Errorf("%q", got)
	}
	cancel()
	<-done
	level, text := ParseLine("2026-01-01T00:00:00.000 warning config a text of words")
	if level != "warning" || text != "a text of words" {
		t.Errorf("%q %q", level, text)
	}
}

func TestThePinnedEnvoyIsOneEverywhere(t *testing.T) {
	for file, want := range map[string]string{
		"get-envoy.sh": "version=" + Pinned + "\n", "compose.yaml": "envoy:v" + Pinned + "\n",
		"images/usher-envoy.Dockerfile": "envoy:v" + Pinned + "\n",
	} {
		text, err := os.ReadFile(filepath.Join("..", "deploy", file))
		if err != nil || !strings.Contains(string(text), want) {
			t.Errorf("%s: %v; %q is not in it", file, err, want)
		}
	}
	if b := theBinary(t); b.Version != Pinned {
		t.Errorf("tested with Envoy %s, pinned is %s", b.Version, Pinned)
	}
}
