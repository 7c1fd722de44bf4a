package desk

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// The journal's folder has a file for each entry, named by its number, and "last":
// the cluster file as it was last seen.

// ids are those of all entries, the oldest first.
func (d *Desk) ids() (ids []int, err error) {
	names, err := os.ReadDir(d.dir)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the journal: %w", err)
	}
	for _, n := range names {
		if id, err := strconv.Atoi(strings.TrimSuffix(n.Name(), ".json")); err == nil {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids, nil
}

func (d *Desk) path(id int) string { return filepath.Join(d.dir, fmt.Sprintf("%06d.json", id)) }
func (d *Desk) last() string       { return filepath.Join(d.dir, "last") }

// lockLimit is how long the lock is waited for: who holds it may have been stopped.
const lockLimit = 10 * time.Second

// lock keeps other programs from saving and noting at the same time. What holds it
// does little, so that waiting is short.
func (d *Desk) lock(ctx context.Context) (unlock func(), err error) {
	ctx, cancel := context.WithTimeoutCause(ctx, lockLimit, errors.New("another program has held it for long"))
	defer cancel()
	if err := d.makeFolder(); err != nil {
		return nil, fmt.Errorf("make the journal's folder: %w", err)
	}
	f, err := os.Open(d.dir) // the folder itself: whoever may read it may lock it
	if err != nil {
		return nil, fmt.Errorf("lock the journal: %w", err)
	}
	for {
		err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if err == nil {
			return func() { _ = f.Close() }, nil
		}
		if !errors.Is(err, syscall.EWOULDBLOCK) && !errors.Is(err, syscall.EINTR) {
			return nil, errors.Join(fmt.Errorf("lock the journal: %w", err), f.Close())
		}
		select {
		case <-ctx.Done():
			return nil, errors.Join(fmt.Errorf("lock the journal: %w", context.Cause(ctx)), f.Close())
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// makeFolder makes the journal's folder, for its owner alone: that of the state
// folder, where root is the one who first changes something.
func (d *Desk) makeFolder() error {
	if err := os.MkdirAll(filepath.Dir(d.dir), 0o700); err != nil {
		return err
	}
	if err := os.Mkdir(d.dir, 0o700); err != nil {
		if errors.Is(err, os.ErrExist) {
			return nil
		}
		return err
	}
	f, err := os.Open(d.dir)
	if err != nil {
		return err
	}
	if state, err := os.Stat(filepath.Dir(d.dir)); err == nil {
		_ = keepOwner(f, state) // else it is only ours
	}
	return f.Close()
}

// write replaces a file of the journal in one step.
func write(path string, data []byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*") // 0600
	if err != nil {
		return err
	}
	if dir, err := os.Stat(filepath.Dir(path)); err == nil {
		_ = keepOwner(f, dir) // the usher that runs may be another user than root, who changes something
	}
	_, err = f.Write(data)
	if err = errors.Join(err, f.Sync(), f.Close()); err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		_ = os.Remove(f.Name())
	}
	return err
}
