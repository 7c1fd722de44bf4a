package model

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/fsnotify/fsnotify"
)

const (
	// quiet is how long nothing may happen before a save is read.
	quiet = 80 * time.Millisecond
	// whole is the same where the file was renamed into its place: nobody is still
	// writing it then.
	whole = 10 * time.Millisecond
	// between is the least time between two reports: ten saves in a second are
	// three reports at most.
	between = 500 * time.Millisecond
	// heal is how often everything is looked at again, watch or no watch.
	heal = 3 * time.Second
	// unfinished is how long a file may stay empty, or open for writing, before
	// it is taken as it is.
	unfinished = 2 * time.Second
)

// Change is a save: the content of the cluster file, which may be what it was
// when another watched file has changed. Err says that it could not be read.
type Change struct {
	Data []byte
	Err  error
}

// Watcher watches a cluster file and the files that it names. It watches their
// folders: editors rename over a file, Kubernetes swaps a link beside it, and a
// watch on the file itself would be left with the old one.
type Watcher struct {
	path    string
	changes chan Change
	wake    chan struct{}

	mu       sync.Mutex
	followed []string
	first    map[string]string // content hashes of the followed files when they were named
}

// NewWatcher watches path once it Runs.
func NewWatcher(path string) *Watcher {
	return &Watcher{path: path, changes: make(chan Change), wake: make(chan struct{}, 1)}
}

// Changes are the saves, the first of them the file as it is at the start.
func (w *Watcher) Changes() <-chan Change { return w.changes }

// Follow names the other files whose changes count, in place of those before.
// What changes from now on is news.
func (w *Watcher) Follow(paths []string) {
	w.mu.Lock()
	first := make(map[string]string, len(paths))
	for _, p := range paths {
		sum, known := w.first[p]
		if !known {
			sum = contentOf(p)
		}
		first[p] = sum
	}
	w.followed, w.first = paths, first
	w.mu.Unlock()
	select {
	case w.wake <- struct{}{}:
	default:
	}
}

// Run watches until ctx ends. It returns an error only when the system gives no
// watch at all; whatever happens to the files is reported as a Change.
func (w *Watcher) Run(ctx context.Context) error {
	fs, err := fsnotify.NewWatcher()
	if err != nil {
		return fmt.Errorf("watch files: %w", err)
	}
	defer fs.Close() //nolint:errcheck // nothing is written
	look := &look{w: w, fs: fs, watched: map[string]bool{}}
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		look.watch()
		select {
		case <-ctx.Done():
			return nil
		case e := <-fs.Events:
			if look.concerns(e) {
				timer.Reset(look.after(e))
			}
		case <-fs.Errors: //nolint:errcheck // an overflow, most likely
			timer.Reset(look.soon())
		case <-w.wake:
			timer.Reset(look.soon())
		case <-timer.C:
			timer.Reset(look.report(ctx))
		}
	}
}

// look is what one Run knows.
type look struct {
	w        *Watcher
	fs       *fsnotify.Watcher
	watched  map[string]bool
	known    map[string]string // content hashes of all files as last seen
	failed   string            // the error that was last reported
	began    bool
	reported time.Time
	wrote    time.Time // when something happened that may go on
	odd      time.Time // since when the file looks unfinished
}

// soon is how long to wait after something has happened: ten saves are not ten
// reports.
func (l *look) soon() time.Duration {
	return max(quiet, time.Until(l.reported.Add(between)))
}

// after is how long to wait after an event. A file that was written where it stands
// is also there at once, and its first write comes close behind.
func (l *look) after(e fsnotify.Event) time.Duration {
	if e.Op != fsnotify.Create || filepath.Base(e.Name) != filepath.Base(l.w.path) {
		l.wrote = time.Now()
	}
	return max(whole, time.Until(l.wrote.Add(quiet)), time.Until(l.reported.Add(between)))
}

func (l *look) paths() []string {
	l.w.mu.Lock()
	defer l.w.mu.Unlock()
	return append([]string{l.w.path}, l.w.followed...)
}

// watch sees to it that every folder on the way to a file is watched, also
// those that links lead to. A folder that is gone is watched again when it is
// back.
func (l *look) watch() {
	wanted := map[string]bool{}
	for _, p := range l.paths() {
		for range 10 { // links to links
			wanted[filepath.Dir(p)] = true
			wanted[realDir(filepath.Dir(p))] = true
			to, err := os.Readlink(p)
			if err != nil {
				break
			}
			if !filepath.IsAbs(to) {
				to = filepath.Join(filepath.Dir(p), to)
			}
			p = to
		}
	}
	for dir := range l.watched {
		if !wanted[dir] {
			_ = l.fs.Remove(dir)
			delete(l.watched, dir)
		}
	}
	for dir := range wanted {
		if err := l.fs.Add(dir); err == nil { // adding one twice changes nothing
			l.watched[dir] = true
		}
	}
}

func realDir(dir string) string {
	if real, err := filepath.EvalSymlinks(dir); err == nil {
		return real
	}
	return dir
}

// concerns tells whether an event may mean one of the files: by name, or by one
// of the names that begin with two dots, which Kubernetes swaps.
func (l *look) concerns(e fsnotify.Event) bool {
	name := filepath.Base(e.Name)
	if strings.HasPrefix(name, "..") || l.watched[e.Name] {
		return true
	}
	for _, p := range l.paths() {
		if name == filepath.Base(p) {
			return true
		}
		if to, err := os.Readlink(p); err == nil && name == filepath.Base(to) {
			return true
		}
	}
	return false
}

// report reads everything and reports it if it is news. It returns when to look
// again.
func (l *look) report(ctx context.Context) time.Duration {
	data, err := os.ReadFile(l.w.path)
	if l.halfWritten(data, err) {
		return quiet
	}
	l.odd = time.Time{}
	failed := ""
	if err != nil {
		data, failed = nil, err.Error()
		if errors.Is(err, os.ErrNotExist) {
			err = fmt.Errorf("the file is gone: put it back")
		}
	}
	if news := l.news(data); l.began && !news && failed == l.failed {
		return heal
	}
	l.began, l.failed, l.reported = true, failed, time.Now()
	select {
	case l.w.changes <- Change{bytes.Clone(data), err}:
	case <-ctx.Done():
	}
	return heal
}

// halfWritten tells whether somebody is in the middle of writing: the file is
// empty after a truncation, or open for writing. It is taken as it is when that
// lasts.
func (l *look) halfWritten(data []byte, err error) bool {
	if err != nil || (len(data) > 0 && !beingWritten(l.w.path)) {
		return false
	}
	if l.odd.IsZero() {
		l.odd = time.Now()
	}
	return time.Since(l.odd) < unfinished
}

// news tells whether any file has other content than when it was last seen. A
// file that is newly followed is no news, unless it changed since it was named.
func (l *look) news(data []byte) bool {
	paths := l.paths()
	now := map[string]string{paths[0]: digest(data)}
	for _, p := range paths[1:] {
		now[p] = contentOf(p)
	}
	changed := false
	for p, sum := range now {
		if was, seen := l.before(p); seen && was != sum {
			changed = true
		}
	}
	l.known = now
	return changed
}

// before is what a file was when it was last seen, or when it was named.
func (l *look) before(path string) (sum string, seen bool) {
	if sum, seen = l.known[path]; seen {
		return sum, true
	}
	l.w.mu.Lock()
	defer l.w.mu.Unlock()
	sum, seen = l.w.first[path]
	return sum, seen
}

// contentOf is what tells one content of a followed file from another.
func contentOf(path string) string {
	content, err := readSome(path)
	return digest(content) + fmt.Sprint(err != nil)
}

func digest(data []byte) string {
	sum := sha256.Sum256(data)
	return string(sum[:])
}

// readSome reads a followed file, unless it is no file or absurdly large.
func readSome(path string) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() || info.Size() > maxBytes {
		return nil, errors.New("not a file of reasonable size")
	}
	return os.ReadFile(path)
}
