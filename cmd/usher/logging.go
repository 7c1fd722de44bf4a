package main

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strings"

	"github.com/spf13/cobra"
)

// logging is how usher says what it does: one line for each event, to standard
// error, where a service manager or a container keeps it.
type logging struct {
	format, level word
}

func (l *logging) flags(cmd *cobra.Command) {
	l.format = word{value: "text", of: []string{"text", "json"}}
	l.level = word{value: "info", of: []string{"debug", "info", "warn", "error"}}
	cmd.Flags().Var(&l.format, "log-format", "how the log is written, to standard error")
	cmd.Flags().Var(&l.level, "log-level", "the least that is logged; Envoy's own lines count by their level")
}

// to writes to w. A person reads faults better below a line of the log than in
// it: aside is where, nil where programs read.
func (l logging) to(w io.Writer) (log *slog.Logger, aside io.Writer) {
	var level slog.Level
	_ = level.UnmarshalText([]byte(l.level.value)) // each word is one of slog's
	options := &slog.HandlerOptions{Level: level}
	if l.format.value == "json" {
		return slog.New(slog.NewJSONHandler(w, options)), nil
	}
	return slog.New(slog.NewTextHandler(w, options)), w
}

// last logs an error that ends usher where programs read; elsewhere main says it.
func (l logging) last(w io.Writer, err error) error {
	log, aside := l.to(w)
	if err == nil || aside != nil || errors.Is(err, errSaid) {
		return err
	}
	log.Error("usher ends", "error", err)
	return errors.Join(errSaid, err)
}

// word is a flag that takes one of several words.
type word struct {
	value string
	of    []string
}

// String is the word as it stands.
func (w *word) String() string { return w.value }

// Type is what the help says in the place of a value.
func (w *word) Type() string { return strings.Join(w.of, "|") }

// Set refuses whatever is none of the words.
func (w *word) Set(s string) error {
	if !slices.Contains(w.of, s) {
		return fmt.Errorf("%q is none of %s", s, strings.Join(w.of, ", "))
	}
	w.value = s
	return nil
}
