package desk

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
)

// Author is who changes something, and by which way.
type Author struct {
	Name string `json:"name"`
	Via  string `json:"via"` // such as ViaCommand
}

// Ways by which a file changes.
const (
	ViaCommand = "command"
	ViaFile    = "file" // an editor; nobody knows whose
)

// Save puts a text in the place of the file that has the hash base, in one step, and
// notes it in the journal. It is ErrChanged, and nothing is written, when the file
// is another one by now. Mode and owner stay, and a link leads where it led.
func (d *Desk) Save(ctx context.Context, by Author, base string, after []byte) (Entry, error) {
	unlock, err := d.lock(ctx)
	if err != nil {
		return Entry{}, err
	}
	defer unlock()
	return d.save(by, base, after)
}

func (d *Desk) save(by Author, base string, after []byte) (Entry, error) {
	before, err := d.Read()
	if err != nil {
		return Entry{}, err
	}
	if before.Hash != base {
		return Entry{}, ErrChanged
	}
	if before.Hash == fileOf(after).Hash {
		return Entry{}, errors.New("nothing changes")
	}
	if err := d.note(before.Data); err != nil { // what an editor did just before
		return Entry{}, err
	}
	if err := d.replace(before, after); err != nil {
		return Entry{}, err
	}
	return d.add(by, before.Data, after)
}

// replace writes the new file beside the old one and renames it over that, unless
// that has become another one meanwhile.
func (d *Desk) replace(before File, after []byte) (err error) {
	path, err := filepath.EvalSymlinks(d.config)
	if err != nil {
		return fmt.Errorf("find the cluster file: %w", err)
	}
	info, err := os.Stat(path)
	if err != nil {
		return fmt.Errorf("find the cluster file: %w", err)
	}
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return fmt.Errorf("write beside the cluster file: %w", err)
	}
	defer func() {
		if err != nil {
			_ = os.Remove(f.Name())
		}
	}()
	if err := fill(f, info, after); err != nil {
		return fmt.Errorf("write the cluster file: %w", err)
	}
	if now, err := d.Read(); err != nil || now.Hash != before.Hash {
		return errors.Join(ErrChanged, err)
	}
	if err := os.Rename(f.Name(), path); err != nil {
		return fmt.Errorf("put the new cluster file in its place: %w", err)
	}
	return syncDir(filepath.Dir(path))
}

// fill writes a file that shall be like another one.
func fill(f *os.File, like os.FileInfo, data []byte) error {
	_, err := f.Write(data)
	if err == nil {
		err = keepOwner(f, like)
	}
	if err == nil {
		err = f.Chmod(like.Mode().Perm()) // after the owner: chown takes bits away
	}
	if err == nil {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}

func keepOwner(f *os.File, like os.FileInfo) error {
	mine, err := f.Stat()
	if err != nil {
		return err
	}
	a, ok := mine.Sys().(*syscall.Stat_t)
	b, known := like.Sys().(*syscall.Stat_t)
	if !ok || !known || a.Uid == b.Uid && a.Gid == b.Gid {
		return nil
	}
	if err := f.Chown(int(b.Uid), int(b.Gid)); err != nil {
		return fmt.Errorf("its owner (user %d, group %d) could not be kept: do it as that user: %w", b.Uid, b.Gid, err)
	}
	return nil
}

// syncDir makes a rename outlive a power cut.
func syncDir(dir string) error {
	f, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}
