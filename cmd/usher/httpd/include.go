package httpd

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"
)

// include reads the files that Include names, in httpd's alphabetical order, into
// a section.
func (r *reading) include(d *directive, into *directive) {
	if r.depth >= maxDepth {
		d.say(Warning, fmt.Sprintf("includes are %d deep here, perhaps in a circle; it was not followed", maxDepth))
		return
	}
	names := r.included(d.arg(0))
	if len(names) == 0 {
		r.nothingIncluded(d)
		return
	}
	d.say(Carried, "")
	r.depth++
	defer func() { r.depth-- }()
	for _, name := range names {
		r.includeFile(d, name, into)
	}
}

func (r *reading) includeFile(d *directive, name string, into *directive) {
	if slices.Contains(r.files, name) {
		r.warn(d.place, fmt.Sprintf("%s is being read already; it was not read again in itself", r.called(name)))
		return
	}
	data, err := r.load(name)
	if err != nil {
		what := fmt.Sprintf("%s could not be read: %v", r.called(name), err)
		r.warn(d.place, what)
		r.unread = append(r.unread, fmt.Sprintf("%s: %s", d.place, what))
		return
	}
	r.files = append(r.files, name)
	r.read(linesOf(r.called(name), data), into)
	r.files = r.files[:len(r.files)-1]
}

func (r *reading) nothingIncluded(d *directive) {
	if d.is("includeoptional") {
		d.say(NotNeeded, "no such file is there")
		return
	}
	r.unread = append(r.unread, fmt.Sprintf("%s: %s: no such file", d.place, d.brief()))
	d.say(Warning, "no such file is there: give it to usher import, too, if it says anything about sites")
}

// included are the files of a pattern, in whichever folder it counts from here.
func (r *reading) included(pattern string) []string {
	if pattern == "" {
		return nil
	}
	for _, base := range r.bases(pattern) {
		if names := r.matching(base); len(names) > 0 {
			return names
		}
	}
	return nil
}

// bases are the absolute patterns that a name may stand for, the likeliest first.
// A configuration that was copied here has no ServerRoot on this machine: then its
// files lie around the one that was given, which is in the ServerRoot (Debian) or
// in a folder of it (RHEL).
func (p *parser) bases(name string) (all []string) {
	near := path.Dir(p.given)
	around := []string{near, path.Dir(near)}
	root := strings.TrimSuffix(p.serverRoot, "/")
	if !path.IsAbs(name) {
		for _, folder := range around {
			all = append(all, path.Join(folder, name))
		}
		if root == "" {
			return all
		}
		if own := path.Join(root, name); p.native() {
			return append([]string{own}, all...)
		}
		return append(all, path.Join(root, name))
	}
	for _, home := range []string{root, "/etc/apache2", "/etc/httpd"} {
		below, ok := strings.CutPrefix(path.Clean(name), home+"/")
		if !ok || home == "" || p.native() {
			continue
		}
		for _, folder := range around {
			all = append(all, path.Join(folder, below))
		}
	}
	return append(all, path.Clean(name))
}

// native tells whether the given file belongs to the httpd of this machine.
func (p *parser) native() bool {
	root := p.serverRoot
	if root == "" {
		return strings.HasPrefix(p.given, "/etc/apache2/") || strings.HasPrefix(p.given, "/etc/httpd/")
	}
	return strings.HasPrefix(p.given, strings.TrimSuffix(root, "/")+"/")
}

// below is a single file by a name that counts from the ServerRoot: the first of
// its bases that is there, or the likeliest.
func (p *parser) below(name string) string {
	all := p.bases(name)
	for _, file := range all {
		if _, err := fs.Stat(p.fsys, onDisk(file)); err == nil {
			return file
		}
	}
	if root := p.serverRoot; root != "" && !path.IsAbs(name) {
		return path.Join(root, name)
	}
	return path.Clean(all[len(all)-1])
}

// matching are the files of a pattern; of a folder, all that lie in it.
func (p *parser) matching(pattern string) (files []string) {
	names, err := fs.Glob(p.fsys, onDisk(pattern))
	if err != nil {
		return nil
	}
	slices.Sort(names)
	for _, name := range names {
		if hidden := path.Base(name); strings.HasPrefix(hidden, ".") && !strings.HasPrefix(path.Base(pattern), ".") {
			continue // httpd's * does not stand for a dot in front (APR_FNM_PERIOD)
		}
		files = append(files, p.filesOf(name)...)
	}
	return files
}

// filesOf is a file, or all that lie in a folder.
func (p *parser) filesOf(name string) (files []string) {
	_ = fs.WalkDir(p.fsys, name, func(name string, e fs.DirEntry, err error) error {
		switch {
		case err != nil || len(files) >= maxFiles:
			return fs.SkipDir
		case !e.IsDir():
			files = append(files, "/"+name)
		}
		return nil
	}) // what can't be read is not there
	return files
}

var errTooMany = errors.New("there are too many files, or they are too large")

// load reads a file of a bounded size. What is no file, such as a device, would
// never end.
func (p *parser) load(absolute string) (string, error) {
	if p.loads++; p.loads > maxFiles || p.bytes > maxBytes {
		return "", errTooMany
	}
	f, err := p.fsys.Open(onDisk(absolute))
	if err != nil {
		return "", plainError(err)
	}
	defer func() { _ = f.Close() }() // it was only read
	info, err := f.Stat()
	if err != nil {
		return "", plainError(err)
	}
	if !info.Mode().IsRegular() {
		return "", errors.New("it is not a file")
	}
	data, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil {
		return "", plainError(err)
	}
	if len(data) > maxFile {
		return "", fmt.Errorf("it has more than %d bytes", maxFile)
	}
	p.bytes += len(data)
	return string(data), nil
}

// plainError is the cause alone: who reads it knows which file it is about.
func plainError(err error) error {
	var at *fs.PathError
	if errors.As(err, &at) {
		return at.Err
	}
	return err
}

// exists tells whether a file is there, whoever may read it.
func (p *parser) exists(absolute string) bool {
	info, err := fs.Stat(p.fsys, onDisk(absolute))
	return err == nil && !info.IsDir()
}
