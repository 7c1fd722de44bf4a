// Package httpd says the configuration of an Apache httpd in the words of
// cluster.yaml. It serves the administrator who moves: one command reads what
// httpd reads, with its includes, defines and conditions, and writes a commented
// cluster file and a report that has a row for every directive, so that nothing
// is lost without a word.
//
// A directive is carried, approximated (the report says how), not carried (the
// report says what to do instead), or not needed. Where httpd lets only some in, by
// Require or Allow, nobody else gets in: what has no equal, such as a password or
// the name of a host, lets nobody in, and a path whose exact rule has none is closed
// to more people, never to fewer. Files in the wild, and listings in documentation,
// have faults that httpd would refuse; they are mended with a warning.
//
// It starts nothing, resolves no name, writes no file, and reads none but the
// configuration and the lists of addresses that this names; of certificates and of
// folders for logs it only asks whether they are there. What it writes has passed
// model.Parse, or the problems come with it.
package httpd

import (
	"fmt"
	"io/fs"
	"path"
	"strings"

	"usher/model"
)

// Result is what became of a configuration.
type Result struct {
	// YAML is the cluster file.
	YAML []byte
	// Report has a row for every directive, in the order in which httpd reads them.
	Report Report
	// Problems are what is still wrong with the cluster file.
	Problems model.Problems
}

// Import reads the files as httpd would read one that includes them in this order.
// The file system is that of the machine, from its root; relative names count from
// dir, which is absolute. It fails only where one of the files can't be read.
func Import(fsys fs.FS, dir string, files []string) (Result, error) {
	p := newParser(fsys, dir)
	root := &directive{}
	for _, f := range files {
		if err := p.main(f, root); err != nil {
			return Result{}, err
		}
	}
	t := newTranslation(p, root)
	t.translate()
	yaml := t.yaml("Imported from " + strings.Join(files, ", "))
	_, problems := model.Parse("cluster.yaml", yaml)
	return Result{YAML: yaml, Report: root.report(), Problems: problems}, nil
}

// place is where a directive stands.
type place struct {
	file string
	line int
}

// String is file:line.
func (p place) String() string { return fmt.Sprintf("%s:%d", p.file, p.line) }

// onDisk is a path as an fs.FS of the whole machine has it.
func onDisk(absolute string) string {
	if name := strings.TrimPrefix(path.Clean(absolute), "/"); name != "" {
		return name
	}
	return "."
}
