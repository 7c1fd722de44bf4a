package main

import (
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// manager is the service manager that started usher, as sd_notify(3) has it:
// lines like READY=1 in a datagram to $NOTIFY_SOCKET. Where there is none, all
// of this does nothing. The loop owns it.
type manager struct {
	socket    string        // a path, or an abstract name behind an @
	watchdog  time.Duration // how long usher may be silent; 0 is for ever
	fed       time.Time
	ready     bool
	reloading bool
	words     string
}

// serviceManager reads what sd_notify(3) and sd_watchdog_enabled(3) go by.
func serviceManager(env func(string) string) manager {
	m := manager{socket: env("NOTIFY_SOCKET")}
	micros, err := strconv.ParseInt(env("WATCHDOG_USEC"), 10, 64)
	pid := env("WATCHDOG_PID")
	if err == nil && micros > 0 && (pid == "" || pid == strconv.Itoa(os.Getpid())) {
		m.watchdog = time.Duration(micros) * time.Microsecond
	}
	return m
}

// state is what a service manager is told. Taken says that every Envoy serves what
// is published, pending that a save is on its way.
type state struct {
	taken, pending bool
	words          string // one line
}

// tell sends what has changed, and feeds the watchdog at half its time.
func (m *manager) tell(s state, now time.Time) {
	if m.socket == "" {
		return
	}
	var lines []string
	switch {
	case s.taken && !s.pending && (!m.ready || m.reloading):
		m.ready, m.reloading = true, false
		lines = append(lines, "READY=1")
	case s.pending && m.ready && !m.reloading:
		m.reloading = true
		lines = append(lines, "RELOADING=1", fmt.Sprintf("MONOTONIC_USEC=%d", monotonic().Microseconds()))
	}
	if s.words != m.words {
		m.words = s.words
		lines = append(lines, "STATUS="+s.words)
	}
	if m.watchdog > 0 && now.Sub(m.fed) >= m.watchdog/2 {
		m.fed = now
		lines = append(lines, "WATCHDOG=1")
	}
	m.send(lines...)
}

// stopping says that the end has begun.
func (m *manager) stopping(words string) { m.send("STOPPING=1", "STATUS="+words) }

// rest shortens a rest of the loop so that the watchdog is fed in time.
func (m *manager) rest(d time.Duration) time.Duration {
	if m.socket == "" || m.watchdog == 0 {
		return d
	}
	return min(d, m.watchdog/2)
}

// send drops what can't be sent: a manager that does not listen is no reason to
// serve nobody.
func (m *manager) send(lines ...string) {
	if m.socket == "" || len(lines) == 0 {
		return
	}
	c, err := net.DialUnix("unixgram", nil, &net.UnixAddr{Name: m.socket, Net: "unixgram"})
	if err != nil {
		return
	}
	defer c.Close() //nolint:errcheck // a datagram has been sent, or not
	_, _ = c.Write([]byte(strings.Join(lines, "\n")))
}

// monotonic is the clock that a manager compares RELOADING with.
func monotonic() time.Duration {
	var t unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &t); err != nil {
		return 0
	}
	return time.Duration(t.Nano())
}
