package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
)

// Modes of the files that are written for people, outside of the state folder.
const (
	public = fs.FileMode(0o644)
	secret = fs.FileMode(0o600)
)

// writeNew writes a file that must not be there yet; instead says what to do
// where it is.
func writeNew(file string, data []byte, mode fs.FileMode, instead string) error {
	f, err := os.OpenFile(file, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if errors.Is(err, fs.ErrExist) {
		return isThere(file, instead)
	}
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	return errors.Join(err, f.Sync(), f.Close())
}

func isThere(file, instead string) error {
	return fmt.Errorf("%s is there already; it stays as it is. %s", file, instead)
}
