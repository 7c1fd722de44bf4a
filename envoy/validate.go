package envoy

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// validateLimit bounds one validation: a file of thousands of pools takes
// seconds, and an Envoy that hangs must not hang usher.
const validateLimit = time.Minute

// Refusal is what Envoy says of a configuration that it would not take.
type Refusal struct{ Words string }

func (r *Refusal) Error() string { return "Envoy refuses the configuration: " + r.Words }

// Validate asks the real Envoy whether it would take a bootstrap (JSON). Envoy
// reads it from a pipe: private keys touch neither disk nor command line. It
// takes about 70 ms. The error is a *Refusal when Envoy said no.
func Validate(ctx context.Context, b Binary, bootstrap []byte) error {
	dir, err := os.MkdirTemp("", "usher-") // 0700
	if err != nil {
		return fmt.Errorf("validate: %w", err)
	}
	defer os.RemoveAll(dir) //nolint:errcheck // a pipe's name at worst
	pipe := filepath.Join(dir, "bootstrap")
	if err := unix.Mkfifo(pipe, 0o600); err != nil {
		return fmt.Errorf("validate: %w", err)
	}
	written := make(chan struct{})
	go func() {
		defer close(written)
		feed(pipe, bootstrap)
	}()
	err = ask(ctx, b, pipe)
	release(pipe, written)
	return err
}

// release ends a writer that still waits for a reader, because Envoy died
// before it came: a reader comes and goes until the writer has noticed.
func release(pipe string, written <-chan struct{}) {
	for {
		select {
		case <-written:
			return
		default:
		}
		if f, err := os.OpenFile(pipe, os.O_RDONLY|unix.O_NONBLOCK, 0); err == nil {
			_ = f.Close()
		}
		select {
		case <-written:
			return
		case <-time.After(5 * time.Millisecond):
		}
	}
}

// feed writes once a reader has come. It fails when that has gone, which the
// reader's own words explain better.
func feed(pipe string, data []byte) {
	f, err := os.OpenFile(pipe, os.O_WRONLY, 0)
	if err != nil {
		return
	}
	_, _ = f.Write(data)
	_ = f.Close()
}

func ask(ctx context.Context, b Binary, config string) error {
	ctx, cancel := context.WithTimeout(ctx, validateLimit)
	defer cancel()
	cmd := exec.CommandContext(ctx, b.Path, "--mode", "validate", "--config-path", config, //nolint:gosec // found by Find
		"--log-level", "warning", "--log-format", "%l|%v", "--disable-hot-restart")
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &said
	err := cmd.Run()
	var exit *exec.ExitError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &exit) && exit.ExitCode() == 1:
		return &Refusal{words(said.String())}
	}
	return fmt.Errorf("ask %s to validate: %w: %s", b.Path, err, firstLine(said.String()))
}

var initError = regexp.MustCompile(`(?m)error initializing configuration '[^']*': (?s:(.*))`)

// words boils Envoy's output down to the reason.
func words(said string) string {
	if m := initError.FindStringSubmatch(said); m != nil {
		return firstLine(m[1])
	}
	for line := range strings.Lines(said) {
		if level, text, ok := strings.Cut(line, "|"); ok && (level == "critical" || level == "error") {
			return strings.TrimSpace(text)
		}
	}
	return firstLine(said)
}
