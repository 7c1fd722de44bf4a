package pki

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// start waits for the end of its input, makes or loads everything that a state
// folder holds, and prints the authority's serial number.
func start(dir string) int {
	_, _ = io.Copy(io.Discard, os.Stdin)
	signal.Ignore(syscall.SIGXFSZ)
	var most syscall.Rlimit
	if _, err := fmt.Sscan(os.Getenv("PKI_TEST_LIMIT"), &most.Cur); err == nil {
		most.Max = most.Cur
		if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &most); err != nil {
			fmt.Println(err)
			return 2
		}
	}
	s := Store{Dir: dir}
	ca, made, err := s.Authority(noon)
	if err == nil {
		_, _, err = s.Certificate("server", Request{Hosts: []string{"localhost"}, Lifetime: 90 * day}, ca, noon)
	}
	if err != nil {
		fmt.Println(err)
		return 1
	}
	fmt.Println(ca.Certificate.SerialNumber, made)
	return 0
}

// other is another process that will start on dir when its input is closed.
func other(t *testing.T, dir, limit string) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), self)
	cmd.Env = append(os.Environ(), "PKI_TEST_START="+dir, "PKI_TEST_LIMIT="+limit, "GORACE=atexit_sleep_ms=0")
	return cmd
}

// TestProcessesThatStartTogetherShareOneAuthority starts several at the same
// moment on the same new folder, several times.
func TestProcessesThatStartTogetherShareOneAuthority(t *testing.T) {
	for range 12 {
		dir := filepath.Join(t.TempDir(), "state")
		var outs [6]bytes.Buffer
		var ins []io.Closer
		var waits []func() error
		for i := range outs {
			cmd := other(t, dir, "")
			cmd.Stdout = &outs[i]
			ins = append(ins, must[io.WriteCloser](t)(cmd.StdinPipe()))
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			waits = append(waits, cmd.Wait)
		}
		for _, in := range ins {
			_ = in.Close()
		}
		said := map[string]int{}
		for i, wait := range waits {
			if err := wait(); err != nil {
				t.Fatalf("%v: %s", err, &outs[i])
			}
			serial, made, _ := strings.Cut(outs[i].String(), " ")
			said[serial]++
			said[strings.TrimSpace(made)]++
		}
		if len(said) != 3 || said["true"] != 1 || said["false"] != len(outs)-1 {
			t.Fatal(said)
		}
		want := "drwx------ ca\n-rw------- ca/ca.crt\n-rw------- ca/ca.key\ndrwx------ certificates\n-rw------- certificates/server.pem\n"
		if diff := cmp.Diff(want, tree(t, dir)); diff != "" {
			t.Error(diff)
		}
	}
}

// TestFullDiskLeavesNoHalfFile lets another process write no file above 100
// bytes, so that each write ends in the middle.
func TestFullDiskLeavesNoHalfFile(t *testing.T) {
	dir := t.TempDir()
	out, err := other(t, dir, "100").Output()
	if err == nil || !strings.Contains(string(out), "keep the new authority: write "+dir) || !strings.Contains(string(out), "file too large") {
		t.Errorf("%v: %s", err, out)
	}
	if left := tree(t, dir); left != "" {
		t.Error("left behind\n" + left)
	}

	s := Store{Dir: dir}
	ca, _, err := s.Authority(noon)
	if err != nil {
		t.Fatal("after the disk has room again:", err)
	}
	if _, _, err := s.Certificate("server", Request{Hosts: []string{"old.example"}, Lifetime: 90 * day}, ca, noon); err != nil {
		t.Fatal(err)
	}
	before := contents(t, dir)
	out, err = other(t, dir, "100").Output()
	if err == nil || !strings.Contains(string(out), "keep certificate server: write "+dir) {
		t.Errorf("%v: %s", err, out)
	}
	if diff := cmp.Diff(before, contents(t, dir)); diff != "" {
		t.Errorf("-before +after\n%s", diff)
	}
}

// TestAuthorityThatAppearsIsSeenWholeOrNotAtAll looks while another process
// puts the folder in its place: its two files are read one after the other.
func TestAuthorityThatAppearsIsSeenWholeOrNotAtAll(t *testing.T) {
	dir := t.TempDir()
	hidden, shown := filepath.Join(dir, "hidden"), filepath.Join(dir, "ca")
	if err := authority(t).keep(hidden); err != nil {
		t.Fatal(err)
	}
	for range 1000 {
		moved := make(chan error)
		go func() { moved <- os.Rename(hidden, shown) }()
		_, err := loadAuthority(shown, noon)
		for errors.Is(err, fs.ErrNotExist) {
			_, err = loadAuthority(shown, noon)
		}
		if err := errors.Join(err, <-moved, os.Rename(shown, hidden)); err != nil {
			t.Fatal(err)
		}
	}
}
