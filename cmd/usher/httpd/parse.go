package httpd

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"strings"
)

// What a configuration may be, so that a hostile one costs neither time nor
// memory.
const (
	maxLine       = 64 << 10 // bytes of a line with its continuations
	maxFile       = 4 << 20  // bytes
	maxBytes      = 64 << 20 // of all that is read, and of all directives
	maxFiles      = 2000
	maxDirectives = 100_000
	maxDepth      = 32 // of includes and macros (httpd: AP_MAX_INCLUDE_DEPTH, 20)
	maxOpen       = 64 // sections in each other
)

// parser reads files into a tree of directives.
type parser struct {
	fsys       fs.FS
	dir        string // absolute; what names are relative to
	given      string // the file that is being read of those on the command line
	serverRoot string // as the configuration has it
	variables  map[string]string
	unknown    map[string]bool // variables that were missed before
	modules    map[string]bool
	macros     map[string]*macro
	files      []string // those that are being read, each included by the one before
	unread     []string // files that are missing, each with the place that names it
	loads      int
	bytes      int
	directives int
	depth      int
}

func newParser(fsys fs.FS, dir string) *parser {
	return &parser{
		fsys: fsys, dir: dir,
		variables: map[string]string{}, unknown: map[string]bool{}, modules: map[string]bool{}, macros: map[string]*macro{},
	}
}

// reading are the sections of one file that are open. Sections end in the file in
// which they began.
type reading struct {
	*parser
	root *directive
	open []section
}

// section is one that is open. What stands in a condition that holds goes into the
// section around it.
type section struct {
	*directive
	into *directive
}

// read adds the lines of one file to a section.
func (p *parser) read(lines []line, root *directive) {
	r := &reading{parser: p, root: root}
	for len(lines) > 0 && p.directives < maxDirectives && p.bytes < maxBytes {
		p.directives++
		lines = r.line(lines)
	}
	if len(lines) > 0 {
		r.warn(lines[0].place, fmt.Sprintf("there are more than %d directives, or %d bytes of them; the rest was left out", maxDirectives, maxBytes))
	}
	r.closeTo(0, "at the end of the file")
}

var namePattern = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_-]*$`)

// line takes the first line, and more of them where it begins a macro.
func (r *reading) line(lines []line) (rest []line) {
	l := lines[0]
	if l.fault != "" {
		r.warn(l.place, l.fault)
	}
	switch {
	case l.text == "":
	case strings.HasPrefix(l.text, "</"):
		r.end(l)
	case l.text[0] == '<':
		return r.begin(l, lines[1:])
	default:
		r.plainLine(l)
	}
	return lines[1:]
}

// plainLine is a directive that is no section.
func (r *reading) plainLine(l line) {
	name, text := l.text, ""
	if at := strings.IndexAny(l.text, " \t"); at >= 0 {
		name, text = l.text[:at], strings.TrimSpace(l.text[at:])
	}
	if !namePattern.MatchString(name) {
		r.warn(l.place, fmt.Sprintf("%.40q is no directive, and was left out", l.text))
		return
	}
	d := r.directive(l.place, name, text)
	r.makeRoom(d)
	r.add(d)
	if d.idle == nil {
		r.obey(d)
	}
}

// directive puts variables in their place, except where they get their value.
func (r *reading) directive(at place, name, text string) *directive {
	d := &directive{place: at, name: name, lower: strings.ToLower(name), text: text}
	if !d.is("define", "undefine") {
		d.text = r.expand(d.place, text, r)
	}
	d.args = wordsOf(d.text)
	r.bytes += len(d.text)
	return d
}

// obey does what a directive wants of the reading itself.
func (r *reading) obey(d *directive) {
	switch d.lower {
	case "include", "includeoptional":
		r.include(d, r.inner())
	case "define":
		r.define(d)
	case "undefine":
		delete(r.variables, d.arg(0))
		d.say(Carried, "")
	case "loadmodule":
		r.modules[moduleName(d.arg(0))] = true
	case "serverroot":
		r.serverRoot = d.arg(0)
		d.say(NotNeeded, "relative names of files were resolved")
	case "use":
		r.use(d, r.inner())
	}
}

// inner is the section that the next line belongs to.
func (r *reading) inner() *directive {
	if len(r.open) == 0 {
		return r.root
	}
	return r.open[len(r.open)-1].into
}

func (r *reading) add(d *directive) { r.inner().add(d) }

// warn adds a warning where it belongs.
func (r *reading) warn(at place, what string) {
	d := &directive{place: at}
	d.sayOf("", Warning, what)
	r.add(d)
}

// main reads one of the files of the command line. Of a folder it is the file that
// httpd begins with in Debian's layout, RHEL's, or that of the sources.
func (p *parser) main(name string, root *directive) error {
	absolute := p.absolute(name)
	if info, err := fs.Stat(p.fsys, onDisk(absolute)); err == nil && info.IsDir() {
		for _, f := range []string{"apache2.conf", "conf/httpd.conf", "httpd.conf"} {
			if _, err := fs.Stat(p.fsys, onDisk(path.Join(absolute, f))); err == nil {
				absolute = path.Join(absolute, f)
				break
			}
		}
	}
	p.given = absolute
	p.envvars()
	data, err := p.load(absolute)
	if info, e := fs.Stat(p.fsys, onDisk(absolute)); e == nil && info.IsDir() {
		err = errors.New("it is a folder without apache2.conf, conf/httpd.conf and httpd.conf: name the files in it")
	}
	if err != nil {
		return fmt.Errorf("read %s: %w", name, err)
	}
	p.files = []string{absolute}
	p.read(linesOf(p.called(absolute), data), root)
	return nil
}

// absolute is a name that counts from the working directory.
func (p *parser) absolute(name string) string {
	if path.IsAbs(name) {
		return path.Clean(name)
	}
	return path.Join(p.dir, name)
}

// called is what people call a file: relative to the working directory where it
// lies below.
func (p *parser) called(absolute string) string {
	if below, ok := strings.CutPrefix(absolute, strings.TrimSuffix(p.dir, "/")+"/"); ok {
		return below
	}
	return absolute
}
