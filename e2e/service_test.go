package e2e

import (
	"bufio"
	"encoding/json"
	"net"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// systemd hears what usher tells a service manager.
type systemd struct {
	mu   sync.Mutex
	said []string // lines, in order
}

// listen is what a service manager does before it starts a service.
func listen(t *testing.T) *systemd {
	t.Helper()
	socket := filepath.Join(t.TempDir(), "notify")
	c, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: socket, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	t.Setenv("NOTIFY_SOCKET", socket)
	t.Setenv("WATCHDOG_USEC", "1000000")
	m := &systemd{}
	go m.hear(c)
	return m
}

func (m *systemd) hear(c net.Conn) {
	b := make([]byte, 4096)
	for {
		n, err := c.Read(b)
		if err != nil {
			return
		}
		m.mu.Lock()
		m.said = append(m.said, strings.Split(string(b[:n]), "\n")...)
		m.mu.Unlock()
	}
}

// count is how many lines begin like this.
func (m *systemd) count(begin string) (n int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, line := range m.said {
		if strings.HasPrefix(line, begin) {
			n++
		}
	}
	return n
}

func TestAServiceIsReadyWhenEnvoyHasAcceptedItsConfiguration(t *testing.T) {
	m := listen(t)
	s := newIdleSite(t, 1, file{})
	s.startUsher("run")
	until(t, patience, "READY", func() bool { return m.count("READY=1") == 1 })
	if st, ok := s.status(); !ok || !st.Accepted || len(st.Envoys) != 1 || !listens(s.port) {
		t.Errorf("it is not ready: accepted %t, %d Envoys, listens %t", st.Accepted, len(st.Envoys), listens(s.port))
	}
	s.change("a weight", func(f *file) { f.weight = map[string]string{"isNode1": "2"} })
	until(t, patience, "READY after a save", func() bool { return m.count("RELOADING=1") == m.count("READY=1")-1 })
	s.save("listeners: no\n")
	until(t, patience, "the fault", func() bool { return m.count("STATUS=what was accepted before is served: "+s.config()+":1:") == 1 })
	until(t, patience, "the watchdog to be fed while nothing happens", func() bool { return m.count("WATCHDOG=1") >= 3 })
	if m.count("STOPPING=1") > 0 {
		t.Error("it stops before it is asked to")
	}
	s.usher.signal(syscall.SIGTERM)
	<-s.usher.done
	until(t, patience, "STOPPING", func() bool { return m.count("STOPPING=1") == 1 })
}

func TestAServiceThatHasNothingToServeIsNeverReady(t *testing.T) {
	m := listen(t)
	s := newIdleSite(t, 1, file{})
	s.save("listeners: no\n")
	s.startUsher("run")
	<-s.usher.done
	if m.count("READY=1") > 0 {
		t.Errorf("said %q", m.said)
	}
}

func TestARestartOfTheServiceLeavesEnvoyServing(t *testing.T) {
	s := newIdleSite(t, 2, file{listener: "access_log: stdout"})
	s.run("--log-format", "json")
	u := (&users{s: s, pause: 10 * time.Millisecond}).begin(30)
	pid := s.envoyPID()
	u.during(func() {
		s.usher.signal(syscall.SIGUSR2)
		<-s.usher.done
		if code := s.usher.cmd.ProcessState.ExitCode(); code != 0 {
			t.Errorf("exit code %d", code)
		}
		everyLineIsJSON(t, s.usher.output())
		s.ask("/between", "")
		s.run()
	})
	u.mustNotFail(t)
	if w, n := u.wrong(), u.closed.Load(); w+int(n) > 0 {
		t.Errorf("%d requests on a wrong node, %d connections closed", w, n)
	}
	if now := s.envoyPID(); now != pid {
		t.Errorf("another Envoy, pid %d, was %d", now, pid)
	}
	logged(t, s.usher.output, "/between")
}

// everyLineIsJSON holds for the log and for the lines of requests.
func everyLineIsJSON(t *testing.T, text string) {
	t.Helper()
	lines := bufio.NewScanner(strings.NewReader(text))
	for lines.Scan() {
		if !json.Valid(lines.Bytes()) {
			t.Errorf("%q is no JSON", lines.Text())
		}
	}
}
