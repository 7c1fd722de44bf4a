package main

import (
	"net"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestTheServiceManagerIsToldOfChangesAlone(t *testing.T) {
	socket := filepath.Join(t.TempDir(), "notify")
	heard, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: socket, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer heard.Close() //nolint:errcheck // the end of a test
	env := map[string]string{"NOTIFY_SOCKET": socket, "WATCHDOG_USEC": "10000000"}
	m := serviceManager(func(key string) string { return env[key] })
	start := time.Now()
	for _, c := range []struct {
		after time.Duration
		state state
	}{
		{0, state{false, true, "waiting"}},
		{time.Second, state{false, true, "waiting"}},
		{2 * time.Second, state{true, false, "live"}},
		{3 * time.Second, state{true, false, "live"}},
		{4 * time.Second, state{false, true, "waiting"}},
		{5 * time.Second, state{true, false, "live"}},
		{6 * time.Second, state{true, false, "faulty"}},
		{10 * time.Second, state{true, false, "faulty"}},
	} {
		m.tell(c.state, start.Add(c.after))
	}
	m.stopping("bye")
	want := []string{
		"STATUS=waiting WATCHDOG=1", "READY=1 STATUS=live", "RELOADING=1 MONOTONIC_USEC STATUS=waiting",
		"READY=1 STATUS=live WATCHDOG=1", "STATUS=faulty", "WATCHDOG=1", "STOPPING=1 STATUS=bye",
	}
	if diff := cmp.Diff(want, datagrams(t, heard, len(want))); diff != "" {
		t.Error(diff)
	}
	if d := m.rest(time.Minute); d != 5*time.Second {
		t.Errorf("the loop would rest for %s", d)
	}
}

// datagrams reads n of them, without what no test can foretell.
func datagrams(t *testing.T, c *net.UnixConn, n int) (all []string) {
	t.Helper()
	for range n {
		b := make([]byte, 1000)
		_ = c.SetReadDeadline(time.Now().Add(5 * time.Second))
		size, err := c.Read(b)
		if err != nil {
			t.Fatalf("%v, after %q", err, all)
		}
		lines := strings.Split(string(b[:size]), "\n")
		for i, line := range lines {
			if name, _, _ := strings.Cut(line, "="); name == "MONOTONIC_USEC" {
				lines[i] = name
			}
		}
		all = append(all, strings.Join(lines, " "))
	}
	return all
}

func TestAWatchdogOfAnotherProcessIsNotOurs(t *testing.T) {
	env := map[string]string{"NOTIFY_SOCKET": "/nowhere", "WATCHDOG_USEC": "10000000", "WATCHDOG_PID": "1"}
	m := serviceManager(func(key string) string { return env[key] })
	if d := m.rest(time.Minute); d != time.Minute {
		t.Errorf("the loop would rest for %s", d)
	}
	m.tell(state{taken: true}, time.Now()) // nobody hears it, and nobody minds
}
