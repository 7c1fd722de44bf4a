package envoy

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// The files in Options.Dir.
const (
	pidFile       = "envoy.json"
	LogFile       = "envoy.log"
	AccessLogFile = "access.log" // what Envoy writes to its standard output
	bootstrapFile = "envoy-bootstrap.json"
	AdminSocket   = "admin.sock"
)

const (
	backoffFirst = 100 * time.Millisecond
	backoffLimit = 10 * time.Second
	backoffReset = 30 * time.Second // of life end the back-off
	watchEvery   = 100 * time.Millisecond
)

// Options are those of a supervised Envoy.
type Options struct {
	Binary    Binary
	Dir       string        // the state folder, and Envoy's working directory
	Bootstrap []byte        // JSON
	Drain     time.Duration // how long requests in flight may take at the end
	Notify    func(Event)   // told of everything that happens; must not block
}

// Event is a change in the life of the supervised Envoy.
type Event struct {
	State string // one of the states below
	PID   int
	Words string // why it died
	Wait  time.Duration
}

// The states of an Event.
const (
	Started    = "started"
	Adopted    = "adopted"
	Unrecorded = "unrecorded" // it serves, but a restarted usher would not find it
	Died       = "died"
	Draining   = "draining"
	Stopped    = "stopped"
	Left       = "left to the next usher"
)

// identity tells one process from a later one with the same number.
type identity struct {
	PID   int    `json:"pid"`
	Start string `json:"start"` // field 22 of /proc/PID/stat, in clock ticks since boot
	Path  string `json:"path"`
}

// ErrLeave as the cause of a context's end leaves Envoy to a later usher.
var ErrLeave = errors.New("Envoy is left running")

// Supervise keeps one Envoy alive until ctx ends: it adopts the one that an
// earlier usher left in the folder, starts one where there is none, and starts
// another with back-off when it dies. At the end it drains and stops it, unless
// ErrLeave is the cause. The error says that Envoy could not be started at all.
func Supervise(ctx context.Context, o Options) error {
	if err := replaceFile(filepath.Join(o.Dir, bootstrapFile), o.Bootstrap); err != nil {
		return fmt.Errorf("write Envoy's bootstrap: %w", err)
	}
	wait := backoffFirst
	for first := true; ; first = false {
		born := time.Now()
		id, err := o.adoptOrStart()
		if err != nil && first {
			return err
		}
		words := fmt.Sprint(err)
		if err == nil {
			if alive := o.keep(ctx, id); alive {
				o.end(ctx, id)
				return nil
			}
			words = lastWords(filepath.Join(o.Dir, LogFile))
		}
		if time.Since(born) > backoffReset {
			wait = backoffFirst
		}
		o.Notify(Event{State: Died, PID: id.PID, Words: words, Wait: wait})
		if !sleep(ctx, wait) {
			return nil
		}
		wait = min(2*wait, backoffLimit)
	}
}

func (o Options) adoptOrStart() (identity, error) {
	var id identity
	if data, err := os.ReadFile(filepath.Join(o.Dir, pidFile)); err == nil && json.Unmarshal(data, &id) == nil && id.lives() {
		o.Notify(Event{State: Adopted, PID: id.PID})
		return id, nil
	}
	id, err := o.start()
	if err == nil {
		o.Notify(Event{State: Started, PID: id.PID})
	}
	return id, err
}

// start runs the real binary in a session of its own, so that it outlives usher
// and a Ctrl-C is not for it. Its log is a file, not a pipe that dies with
// usher. Hot restart's base id is machine-wide, and so it is off.
func (o Options) start() (identity, error) {
	log, err := o.open(LogFile)
	if err != nil {
		return identity{}, err
	}
	defer log.Close() //nolint:errcheck // Envoy has its own descriptor
	lines, err := o.open(AccessLogFile)
	if err != nil {
		return identity{}, err
	}
	defer lines.Close()                                                                         //nolint:errcheck // likewise
	cmd := exec.Command(o.Binary.Path, "--config-path", bootstrapFile, "--disable-hot-restart", //nolint:gosec // found by Find
		"--log-level", "warning", "--file-flush-interval-msec", "1000", "--log-format", "%Y-%m-%dT%T.%e %l %n %v",
		"--drain-time-s", fmt.Sprint(max(1, int(o.Drain/time.Second))), "--drain-strategy", "immediate")
	cmd.Dir = o.Dir
	cmd.Stdout, cmd.Stderr = lines, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := cmd.Start(); err != nil {
		return identity{}, fmt.Errorf("start %s: %w", o.Binary.Path, err)
	}
	id := identity{PID: cmd.Process.Pid, Path: o.Binary.Path, Start: startTime(cmd.Process.Pid)}
	go func() { _ = cmd.Wait() }() // reap it; watch looks at the process itself
	return id, nil
}

// open opens a log that Envoy appends to, so that it may be cut at any time.
func (o Options) open(name string) (*os.File, error) {
	f, err := os.OpenFile(filepath.Join(o.Dir, name), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open Envoy's log: %w", err)
	}
	return f, nil
}

// record writes down who runs, for a later usher to adopt.
func (o Options) record(id identity) error {
	data, err := json.Marshal(id)
	if err != nil {
		return err
	}
	return replaceFile(filepath.Join(o.Dir, pidFile), data)
}

// keep is watch for an Envoy that a later usher shall find. One that can't be
// recorded, as on a full disk, serves all the same: it is recorded as soon as
// that works.
func (o Options) keep(ctx context.Context, id identity) (alive bool) {
	err := o.record(id)
	if err != nil {
		o.Notify(Event{State: Unrecorded, PID: id.PID, Words: err.Error()})
	}
	for err != nil && id.lives() && sleep(ctx, watchEvery) {
		err = o.record(id)
	}
	return o.watch(ctx, id)
}

// watch waits until the process dies or ctx ends; then it is still alive. Where the
// kernel tells nobody of a death, it looks again and again.
func (o Options) watch(ctx context.Context, id identity) (alive bool) {
	if died, err := id.dies(ctx); err == nil {
		return !died
	}
	for id.lives() {
		if !sleep(ctx, watchEvery) {
			return true
		}
	}
	return false
}

// lives tells whether the very process still runs.
func (id identity) lives() bool {
	return id.PID > 0 && id.Start != "" && startTime(id.PID) == id.Start
}

// dies waits until the process dies or ctx ends (pidfd_open(2), Linux 5.3).
func (id identity) dies(ctx context.Context) (died bool, err error) {
	fd, err := unix.PidfdOpen(id.PID, unix.PIDFD_NONBLOCK)
	if err != nil {
		return false, err
	}
	f := os.NewFile(uintptr(fd), "pidfd")
	defer f.Close() //nolint:errcheck // nothing is written
	if !id.lives() {
		return true, nil // the number may be another's by now
	}
	if err := f.SetReadDeadline(time.Time{}); err != nil {
		return false, err // it can't be waited for
	}
	conn, err := f.SyscallConn()
	if err != nil {
		return false, err
	}
	stop := context.AfterFunc(ctx, func() { _ = f.SetReadDeadline(time.Now()) })
	defer stop()
	err = conn.Read(func(fd uintptr) bool {
		n, err := unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, 0) //nolint:gosec // descriptors are small
		return err == nil && n > 0
	})
	return err == nil, nil
}

// startTime is when a process began, empty when there is none or only its
// remains.
func startTime(pid int) string {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return ""
	}
	_, rest, ok := strings.Cut(string(data), ") ") // the name before may hold anything
	fields := strings.Fields(rest)
	if !ok || len(fields) < 20 || fields[0] == "Z" {
		return ""
	}
	return fields[19]
}

func sleep(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}

func replaceFile(path string, data []byte) error {
	tmp := path + ".new"
	if err := os.WriteFile(tmp, data, 0o600); err != nil {
		return errors.Join(err, os.Remove(tmp))
	}
	return os.Rename(tmp, path)
}
