package model

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// beingWritten tells whether some process has the file open for writing: a
// read lease is refused then (fcntl(2), F_SETLEASE). Where the file system or
// the owner allows no leases, nobody is said to write.
func beingWritten(path string) bool {
	f, err := os.OpenFile(path, os.O_RDONLY|unix.O_NONBLOCK, 0)
	if err != nil {
		return false
	}
	defer f.Close() //nolint:errcheck // read only
	if _, err := unix.FcntlInt(f.Fd(), unix.F_SETLEASE, unix.F_RDLCK); err != nil {
		return errors.Is(err, unix.EAGAIN)
	}
	_, _ = unix.FcntlInt(f.Fd(), unix.F_SETLEASE, unix.F_UNLCK)
	return false
}
