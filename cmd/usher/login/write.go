package login

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// lock keeps others from changing a users file at the same time, by its folder:
// the file itself is replaced.
func lock(path string) (unlock func(), err error) {
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	f, err := os.Open(dir)
	if err != nil {
		return nil, err
	}
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX); err != nil {
		_ = f.Close()
		return nil, fmt.Errorf("lock %s: %w", dir, err)
	}
	return func() { _ = f.Close() }, nil
}

// write replaces a file in one step, and leaves it to whom it belonged: root may
// add a user for an usher that is another's.
func write(path string, text []byte) (err error) {
	f, err := os.CreateTemp(filepath.Dir(path), ".users-*") // 0600
	if err != nil {
		return err
	}
	defer os.Remove(f.Name()) //nolint:errcheck // gone already where all went well
	_, err = f.Write(text)
	if err = errors.Join(err, giveTo(f, path), f.Sync(), f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}

// giveTo makes a file the property of the one whose place it takes, or of the
// folder's where there is none. Only root can, and only root has to.
func giveTo(f *os.File, path string) error {
	if os.Geteuid() != 0 {
		return nil
	}
	var was unix.Stat_t
	err := unix.Stat(path, &was)
	if errors.Is(err, fs.ErrNotExist) {
		err = unix.Stat(filepath.Dir(path), &was)
	}
	if err != nil {
		return err
	}
	return f.Chown(int(was.Uid), int(was.Gid))
}
