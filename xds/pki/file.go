package pki

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// maxFile is the most that is read of a file, in bytes. The system's roots are
// some 220 KB.
const maxFile = 1 << 20

// read is os.ReadFile for a regular file of at most maxFile bytes.
func read(file string) ([]byte, error) {
	info, err := os.Stat(file)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, &fs.PathError{Op: "read", Path: file, Err: errors.New("not a regular file")}
	}
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close() //nolint:errcheck // read only
	text, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err == nil && len(text) > maxFile {
		err = &fs.PathError{Op: "read", Path: file, Err: fmt.Errorf("larger than %d bytes", maxFile)}
	}
	return text, err
}

// readNamed reads a file that cluster.yaml names.
func readNamed(in, file string) ([]byte, error) {
	text, err := read(file)
	if err == nil {
		return text, nil
	}
	why := err
	if at := (*fs.PathError)(nil); errors.As(err, &at) {
		why = at.Err
	}
	return nil, &Fault{in, fmt.Sprintf("cannot read %s: %v", file, why), ""}
}

// replace puts text in the place of a file in one step: a reader sees the old
// text or the new, and so it is after a crash or on a full disk.
func replace(file string, text []byte) error {
	dir := filepath.Dir(file)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	f, err := os.CreateTemp(dir, ".new-*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name()) //nolint:errcheck // gone already where all went well
	if err := fill(f, text); err != nil {
		return err
	}
	if err := os.Rename(f.Name(), file); err != nil {
		return err
	}
	return syncDir(dir)
}

// create writes a file that must not exist.
func create(file string, text []byte) error {
	f, err := os.OpenFile(file, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	return fill(f, text)
}

// fill writes text to the disk, for the owner alone, and closes the file.
func fill(f *os.File, text []byte) error {
	err := f.Chmod(0o600)
	if err == nil {
		_, err = f.Write(text)
	}
	if err == nil {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}

// syncDir makes renames in a folder survive a power cut.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
