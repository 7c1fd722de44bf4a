package envoy

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// Oldest is the first Envoy that has all the translation needs: cookies in a
// route's match (1.36) and removal of headers by a pattern (1.35).
const Oldest = "1.36.0"

// Pinned is the Envoy that all promises are tested with, and that `make envoy`
// brings.
const Pinned = "1.40.0"

// ErrNotFound says that there is no Envoy, or none that will do.
var ErrNotFound = errors.New("no Envoy found")

// Binary is an Envoy on this machine.
type Binary struct {
	Path    string
	Version string // such as 1.40.0
}

// Find looks for an Envoy: the one given, $USHER_ENVOY, ../.tools/envoy and
// ../lib/usher/envoy beside the executable's folder, then `envoy` on the PATH. One
// that is given must do; of the others the first that is there must.
func Find(given string) (Binary, error) {
	path := given
	for _, look := range []func() string{
		func() string { return os.Getenv("USHER_ENVOY") },
		func() string { return besideExecutable(".tools") },
		func() string { return besideExecutable("lib", "usher") },
		onPath,
	} {
		if path == "" {
			path = look()
		}
	}
	if path == "" {
		return Binary{}, fmt.Errorf("%w: not in --envoy, $USHER_ENVOY, ../.tools/envoy or ../lib/usher/envoy beside usher, nor on the PATH: `make envoy` brings one, and so does /usr/lib/usher/get-envoy of the packages", ErrNotFound)
	}
	return inspect(path)
}

func besideExecutable(folder ...string) string {
	exe, err := os.Executable()
	if err != nil {
		return ""
	}
	if real, err := filepath.EvalSymlinks(exe); err == nil {
		exe = real
	}
	path := filepath.Join(filepath.Dir(exe), "..", filepath.Join(folder...), "envoy")
	if _, err := os.Stat(path); err != nil {
		return ""
	}
	return path
}

func onPath() string {
	path, err := exec.LookPath("envoy")
	if err != nil {
		return ""
	}
	return path
}

var versionPattern = regexp.MustCompile(`version: [0-9a-f]+/(\d+\.\d+\.\d+)`)

func inspect(path string) (Binary, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return Binary{}, err
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	out, err := exec.CommandContext(ctx, path, "--version").Output()
	if err != nil {
		return Binary{}, fmt.Errorf("%w: %s does not run: %w", ErrNotFound, path, err)
	}
	m := versionPattern.FindSubmatch(out)
	if m == nil {
		return Binary{}, fmt.Errorf("%w: %s is no Envoy: it says %q", ErrNotFound, path, firstLine(string(out)))
	}
	b := Binary{path, string(m[1])}
	if older(b.Version, Oldest) {
		return Binary{}, fmt.Errorf("%w that will do: %s is Envoy %s, usher needs %s or newer (`make envoy` brings one)", ErrNotFound, path, b.Version, Oldest)
	}
	return b, nil
}

func firstLine(s string) string {
	line, _, _ := strings.Cut(strings.TrimSpace(s), "\n")
	return line
}

func older(a, b string) bool {
	as, bs := strings.Split(a, "."), strings.Split(b, ".")
	for i := range min(len(as), len(bs)) {
		x, _ := strconv.Atoi(as[i])
		y, _ := strconv.Atoi(bs[i])
		if x != y {
			return x < y
		}
	}
	return false
}
