package pki

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// Import keeps a pair of someone else's in the folder as imported/NAME.crt and
// NAME.key. fs.ErrExist tells that there is one of the name.
func (s Store) Import(name string, p Pair) error {
	if !certificateName.MatchString(name) {
		return fmt.Errorf("%q cannot name a certificate: letters, digits, '_', '-' and '.' can", name)
	}
	base := filepath.Join(s.Dir, "imported", name)
	if _, err := os.Lstat(base + ".crt"); !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%s.crt: %w", base, fs.ErrExist)
	}
	// The chain comes last: it is what tells that both are there.
	if err := replace(base+".key", p.Key); err != nil {
		return err
	}
	return replace(base+".crt", p.Chain)
}
