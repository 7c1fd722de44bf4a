package pki

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// ReadableByAll tells whether everybody on this machine can read a file.
func ReadableByAll(file string) bool {
	info, err := os.Stat(file)
	return err == nil && info.Mode().Perm()&0o004 != 0
}

// Exposed are the files and folders of the state folder that others than their
// owner can open, with what to do about it. usher makes none such: somebody
// changed them, or copied them here.
func (s Store) Exposed() (warnings []string) {
	_ = filepath.WalkDir(s.Dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return nil //nolint:nilerr // what can't be read here is told where it is needed
		}
		info, err := d.Info()
		if err != nil || !info.Mode().IsRegular() && !d.IsDir() {
			return nil //nolint:nilerr // gone meanwhile, or a socket
		}
		if mode := info.Mode().Perm(); mode&0o077 != 0 {
			warnings = append(warnings, fmt.Sprintf("%s is open to others (mode %04o): chmod %s", path, mode, map[bool]string{true: "700", false: "600"}[d.IsDir()]))
		}
		return nil
	})
	return warnings
}
