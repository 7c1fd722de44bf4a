package login

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// Users is the users file as it is now. Every question looks whether the file has
// changed, so that who is removed from it is out with his next request. A file
// that is gone is one without users; one that cannot be read, or has faults,
// leaves the users as they were, and the log says so.
type Users struct {
	path string
	log  *slog.Logger

	mu     sync.Mutex
	known  unix.Stat_t // of what was last read
	readAt time.Time
	last   entries
	fault  string // that was last logged
}

// OpenUsers reads a users file, which need not be there. Where it has a fault, it
// returns a Users with nobody in it beside the error: it may be mended.
func OpenUsers(path string, log *slog.Logger) (*Users, error) {
	u := &Users{path: path, log: log}
	e, info, err := readUsers(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		u.fault = err.Error()
		return u, err
	}
	u.last, u.known, u.readAt = e, info, time.Now()
	return u, nil
}

// Any tells whether there is anybody in the file.
func (u *Users) Any() bool {
	e := u.now()
	return len(e.Users)+len(e.Tokens) > 0
}

// now is what the file says.
func (u *Users) now() entries {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.unchanged() {
		return u.last
	}
	at := time.Now()
	e, info, err := readUsers(u.path)
	switch {
	case err == nil, errors.Is(err, fs.ErrNotExist):
		u.last, u.known, u.readAt, u.fault = e, info, at, ""
	case err.Error() != u.fault:
		u.fault = err.Error()
		u.log.Error("the users file is faulty; the users stay as they were", "error", err)
	}
	return u.last
}

// settled is how old a file has to be, at the time when it is read, for a later
// change to show in its times, whose grain is some milliseconds.
const settled = 2 * time.Second

// unchanged tells whether the file is surely the one that was read.
func (u *Users) unchanged() bool {
	var info unix.Stat_t
	if err := unix.Stat(u.path, &info); err != nil {
		return errors.Is(err, fs.ErrNotExist) && u.known == (unix.Stat_t{})
	}
	info.Atim = unix.Timespec{}
	return info == u.known && u.readAt.Sub(time.Unix(info.Ctim.Unix())) > settled
}

// readUsers reads a users file that is open to its owner alone.
func readUsers(path string) (entries, unix.Stat_t, error) {
	text, info, err := readPrivate(path)
	if err != nil {
		return entries{}, unix.Stat_t{}, err
	}
	e, err := parse(text)
	if err != nil {
		return entries{}, unix.Stat_t{}, fmt.Errorf("%s: %w", path, err)
	}
	return e, info, nil
}

// readPrivate reads a file after it has seen that nobody else can.
func readPrivate(path string) ([]byte, unix.Stat_t, error) {
	var info unix.Stat_t
	f, err := os.OpenFile(path, os.O_RDONLY|unix.O_NONBLOCK, 0) // a pipe would wait for a writer
	if err != nil {
		return nil, info, err
	}
	defer f.Close() //nolint:errcheck // read only
	if err := unix.Fstat(int(f.Fd()), &info); err != nil {
		return nil, info, fmt.Errorf("look at %s: %w", path, err)
	}
	info.Atim = unix.Timespec{}
	switch owner := int(info.Uid); {
	case info.Mode&unix.S_IFMT != unix.S_IFREG:
		return nil, info, fmt.Errorf("%s is not a regular file", path)
	case info.Mode&0o077 != 0:
		return nil, info, fmt.Errorf("%s is open to others (mode %04o): chmod 600 %s", path, info.Mode&0o7777, path)
	case owner != os.Geteuid() && owner != 0 && os.Geteuid() != 0:
		return nil, info, fmt.Errorf("%s belongs to another user: chown it to the one that usher runs as", path)
	}
	text, err := io.ReadAll(io.LimitReader(f, largestFile+1))
	return text, info, err
}
