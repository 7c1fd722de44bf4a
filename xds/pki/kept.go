package pki

import (
	"crypto"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"time"
)

// ReadKept reads a certificate and its key from the one file that Keep wrote.
// Whether the certificate is valid now is not asked.
func ReadKept(file string) (Pair, error) { return kept(file, time.Time{}) }

// Keep puts a certificate and its key into one file, in one step.
func Keep(file string, p Pair) error { return replace(file, slices.Concat(p.Key, p.Chain)) }

// ReadNote reads what KeepNote wrote, at most 1 MiB.
func ReadNote(file string) ([]byte, error) { return read(file) }

// KeepNote puts a text into a file of the state folder, for its owner alone and
// in one step.
func KeepNote(file string, text []byte) error { return replace(file, text) }

// KeptKey is the private key in a file, made at its first use (P-256). What is
// there is never overwritten.
func KeptKey(file string) (crypto.Signer, error) {
	text, err := read(file)
	if errors.Is(err, fs.ErrNotExist) {
		key, made, err := NewKey(ECDSA)
		if err != nil {
			return nil, err
		}
		return key, replace(file, made)
	}
	if err != nil {
		return nil, err
	}
	key, _, err := privateKey(text)
	if err != nil {
		return nil, fmt.Errorf("%s: %v: move it away, then a new one is made", file, err) //nolint:errorlint // a Fault in it is of no file that the operator named
	}
	return key, nil
}
