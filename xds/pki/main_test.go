package pki

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"
)

var update = flag.Bool("update", false, "rewrite the wants of testdata")

// noon is the time of every test that needs but one.
var noon = time.Date(2027, 6, 1, 12, 0, 0, 0, time.UTC)

const day = 24 * time.Hour

// TestMain lets every test run under the most permissive umask, and lets the
// test binary stand in for another usher that starts on the same folder.
func TestMain(m *testing.M) {
	syscall.Umask(0)
	if dir := os.Getenv("PKI_TEST_START"); dir != "" {
		os.Exit(start(dir))
	}
	if dir := os.Getenv("PKI_TEST_LIVE"); dir != "" {
		runtime.LockOSThread() // strace counts by thread
		if err := live(dir); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// openssl runs the real one and gives its output.
func openssl(t *testing.T, args ...string) string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "openssl", args...).CombinedOutput()
	if err != nil {
		t.Fatalf("openssl %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return string(out)
}

// at is a file in a new folder.
func at(t *testing.T, name string, text []byte) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), name)
	write(t, file, text)
	return file
}

func write(t *testing.T, file string, text []byte) {
	t.Helper()
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
}

func must[T any](t *testing.T) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func authority(t *testing.T) Authority {
	t.Helper()
	return must[Authority](t)(NewAuthority("test CA", AuthorityLifetime, noon))
}

// tree lists a folder's files with their modes.
func tree(t *testing.T, dir string) string {
	t.Helper()
	var list strings.Builder
	err := filepath.Walk(dir, func(path string, info os.FileInfo, err error) error {
		if err == nil && path != dir {
			rel, _ := filepath.Rel(dir, path)
			fmt.Fprintf(&list, "%v %s\n", info.Mode(), rel)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return list.String()
}
