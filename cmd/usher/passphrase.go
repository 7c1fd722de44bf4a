package main

import (
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/spf13/cobra"

	"usher/model"
	"usher/xds/pki"
	"usher/xds/pki/keystore"
)

// vault is the state folder with what opens the local CA's key.
type vault struct {
	places
	passphraseFile string
}

func (v *vault) flags(cmd *cobra.Command) {
	v.places.flags(cmd)
	passphraseFlag(cmd, &v.passphraseFile, "file whose first line is the passphrase of the local CA's key, where it is under one")
}

func passphraseFlag(cmd *cobra.Command, file *string, usage string) {
	cmd.Flags().StringVar(file, "passphrase-file", "", usage)
}

// open finds the folder, and reads the passphrase where there is one.
func (v *vault) open() (pki.Store, error) {
	if err := v.resolve(); err != nil {
		return pki.Store{}, err
	}
	passphrase, err := readPassphrase(v.passphraseFile)
	return pki.Store{Dir: v.state, Passphrase: passphrase}, err
}

// readPassphrase is nil where no file is named.
func readPassphrase(file string) ([]byte, error) {
	if file == "" {
		return nil, nil
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("read the passphrase: %w", err)
	}
	if pki.ReadableByAll(file) {
		fmt.Fprintf(os.Stderr, "warning: everybody on this machine can read %s: chmod 600 %s\n", file, file)
	}
	passphrase, err := keystore.Passphrase(text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return passphrase, nil
}

// span is a duration on the command line, as in cluster.yaml: Go's, and days.
type span model.Duration

// String, Set and Type make it a flag.
func (s *span) String() string { return model.Duration(*s).String() }

// Set reads it.
func (s *span) Set(text string) error {
	d, err := model.ParseDuration(text)
	*s = span(d)
	return err
}

// Type names it in --help.
func (s *span) Type() string { return "duration" }

func (s *span) std() time.Duration { return model.Duration(*s).Std() }

// passphraseIs tells whether an error is about a passphrase: none, or another.
func passphraseIs(err error) bool {
	return errors.Is(err, keystore.ErrPassphraseNeeded) || errors.Is(err, keystore.ErrWrongPassphrase)
}
