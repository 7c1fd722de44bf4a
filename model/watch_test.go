package model

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// watched is a folder with a cluster file and a watcher on it.
type watched struct {
	t    *testing.T
	path string
	*Watcher
}

func watch(t *testing.T, content string) watched {
	t.Helper()
	w := watched{t, filepath.Join(t.TempDir(), "folder", "cluster.yaml"), nil}
	w.must(os.Mkdir(filepath.Dir(w.path), 0o700))
	w.write(w.path, content)
	w.Watcher = NewWatcher(w.path)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- w.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	w.next(content)
	return w
}

func (w watched) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

func (w watched) write(path, content string) {
	w.t.Helper()
	w.must(os.WriteFile(path, []byte(content), 0o600))
}

// next wants the next report to be this content.
func (w watched) next(content string) {
	w.t.Helper()
	if c := w.report(); c.Err != nil || string(c.Data) != content {
		w.t.Fatalf("reported %q, %v; want %q", c.Data, c.Err, content)
	}
}

func (w watched) report() Change {
	w.t.Helper()
	select {
	case c := <-w.Changes():
		return c
	case <-time.After(10 * time.Second):
		w.t.Fatal("no report")
		return Change{}
	}
}

// silent wants no report for longer than one takes.
func (w watched) silent() {
	w.t.Helper()
	select {
	case c := <-w.Changes():
		w.t.Fatalf("reported %q, %v", c.Data, c.Err)
	case <-time.After(between + 3*quiet):
	}
}

func TestAWatchSurvivesEveryWayOfSaving(t *testing.T) {
	w := watch(t, "1")
	w.write(w.path, "2")
	w.next("2")
	w.write(w.path+"~", "3")
	w.must(os.Rename(w.path+"~", w.path))
	w.next("3")
	w.must(os.Remove(w.path))
	w.write(w.path, "4")
	w.next("4")
	w.write(w.path, "4")
	w.must(os.Chmod(w.path, 0o640))
	w.silent()
}

func TestAFolderMayGoAndComeBack(t *testing.T) {
	w := watch(t, "1")
	dir := filepath.Dir(w.path)
	w.must(os.Rename(dir, dir+".old"))
	if c := w.report(); c.Err == nil {
		t.Fatalf("no error for a file that is gone: %q", c.Data)
	}
	w.must(os.Rename(dir+".old", dir))
	w.next("1")
	w.write(w.path, "2")
	w.next("2")
}

func TestAFileThatIsFollowedCounts(t *testing.T) {
	w := watch(t, "1")
	other := filepath.Join(t.TempDir(), "server.key")
	w.write(other, "old")
	w.Follow([]string{other})
	w.silent()
	w.write(other, "new")
	w.next("1")
	w.Follow(nil)
	w.silent()
	w.write(other, "newer")
	w.silent()
}

func TestALinkIsFollowedToItsEnd(t *testing.T) {
	w := watch(t, "1")
	far := filepath.Join(t.TempDir(), "far.yaml")
	w.write(far, "2")
	w.must(os.Symlink(far, w.path+"~"))
	w.must(os.Rename(w.path+"~", w.path))
	w.next("2")
	w.write(far, "3")
	w.next("3")
}

func TestAFileThatStaysEmptyIsReportedInTheEnd(t *testing.T) {
	w := watch(t, "1")
	w.write(w.path, "")
	w.next("")
}

func TestAFileThatIsBeingWrittenWaits(t *testing.T) {
	w := watch(t, "1")
	f, err := os.OpenFile(w.path, os.O_WRONLY|os.O_TRUNC, 0)
	w.must(err)
	_, err = f.WriteString("ha")
	w.must(err)
	w.silent()
	_, err = f.WriteString("lf")
	w.must(err)
	w.must(f.Close())
	w.next("half")
}
