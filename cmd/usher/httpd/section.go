package httpd

import (
	"fmt"
	"slices"
	"strings"
)

// Sections end where </NAME> stands. Where that is missing they end where the next
// line makes it impossible to go on: a VirtualHost can't stand in a VirtualHost,
// nor a server's name in a Proxy.

// begin takes a line such as <VirtualHost *:443>.
func (r *reading) begin(l line, rest []line) []line {
	inside, closed := strings.CutSuffix(strings.TrimPrefix(l.text, "<"), ">")
	if !closed {
		r.warn(l.place, "the > at the end of the line is missing")
	}
	name, text := strings.TrimSpace(inside), ""
	if at := strings.IndexAny(name, " \t"); at >= 0 {
		name, text = name[:at], strings.TrimSpace(name[at:])
	}
	if !namePattern.MatchString(name) {
		r.warn(l.place, fmt.Sprintf("%.40q is no section, and was left out", l.text))
		return rest
	}
	if text == "" && r.isOpen(name) && !strings.HasPrefix(strings.ToLower(name), "require") && !strings.EqualFold(name, "else") {
		r.warn(l.place, fmt.Sprintf("<%s> was read as </%s>", name, name))
		r.end(line{place: l.place, text: "</" + name + ">"})
		return rest
	}
	d := r.directive(l.place, name, text)
	d.section = true
	r.makeRoom(d)
	if d.is("macro") {
		return r.macro(d, rest)
	}
	if len(r.open) >= maxOpen {
		r.warn(l.place, fmt.Sprintf("more than %d sections are open; this one was left out", maxOpen))
		return rest
	}
	r.add(d)
	into := d
	switch {
	case d.idle != nil:
	case isCondition(d):
		into = r.condition(d)
	case d.is("limit") && slices.ContainsFunc(d.args, func(method string) bool { return strings.EqualFold(method, "get") }):
		d.say(Approximated, "for all methods: usher does not tell them apart")
		into = d.parent
	default:
		d.idle = counting(d)
	}
	r.open = append(r.open, section{d, into})
	return rest
}

func (r *reading) isOpen(name string) bool {
	for _, s := range r.open {
		if strings.EqualFold(s.name, name) {
			return true
		}
	}
	return false
}

// end takes a line such as </VirtualHost>.
func (r *reading) end(l line) {
	name := strings.TrimSpace(strings.TrimSuffix(strings.TrimPrefix(l.text, "</"), ">"))
	for i := len(r.open) - 1; i >= 0; i-- {
		if strings.EqualFold(r.open[i].name, name) {
			r.closeTo(i+1, fmt.Sprintf("before %s in line %d", l.text, l.line))
			r.open = r.open[:i]
			return
		}
	}
	r.warn(l.place, fmt.Sprintf("%s closes nothing that is open", l.text))
}

// closeTo closes all sections from one on, which should have been closed before.
func (r *reading) closeTo(i int, where string) {
	for len(r.open) > i {
		s := r.open[len(r.open)-1]
		r.open = r.open[:len(r.open)-1]
		r.warn(s.place, fmt.Sprintf("%s is never closed; it was taken to end %s", s.brief(), where))
	}
}

// makeRoom closes the sections that a directive can't stand in.
func (r *reading) makeRoom(d *directive) {
	for i, s := range r.open {
		if !fits(d, s.directive) {
			r.closeTo(i, fmt.Sprintf("before %s in line %d", d.brief(), d.line))
			return
		}
	}
}

// outermost stand in no other section but conditions.
var outermost = []string{"virtualhost", "mdomainset", "mdomain", "authnprovideralias", "authzprovideralias", "listen", "loadmodule", "serverroot"}

// ofServers stand in a VirtualHost or in none.
var ofServers = []string{
	"directory", "directorymatch", "location", "locationmatch", "proxy", "proxymatch",
	"servername", "serveralias", "documentroot", "customlog", "transferlog", "proxyrequests", "proxytimeout",
	"sslengine", "sslcertificatefile", "sslcertificatekeyfile", "sslcertificatechainfile", "sslcacertificatefile",
}

// fits tells whether a directive may stand in a section.
func fits(d, in *directive) bool {
	switch {
	case isCondition(in):
		return true
	case d.is("mdomain") && !d.section:
		return true
	case d.is(outermost...):
		return false
	case d.is(ofServers...):
		return in.is("virtualhost")
	case d.is("proxypass", "proxypassmatch", "proxypassreverse"):
		return !hasPathOfItsOwn(d) || !in.is("proxy", "proxymatch", "location", "locationmatch")
	}
	return true
}

// hasPathOfItsOwn tells whether a ProxyPass says where it is, which it can't in a
// Location.
func hasPathOfItsOwn(d *directive) bool {
	first, second := d.arg(0), d.arg(1)
	return (strings.HasPrefix(first, "/") || strings.HasPrefix(first, "^")) && (second == "!" || strings.Contains(second, "://"))
}

// counting is why nothing of a section counts, nil where it does.
func counting(d *directive) *idle {
	switch d.lower {
	case "if", "elseif", "else":
		return &idle{NotCarried, "<If> is decided anew for each request, which usher does by path and host alone: write routes or listeners for what it tells apart"}
	case "limit", "limitexcept":
		return &idle{NotCarried, "usher does not tell methods apart: the nodes do"}
	case "directory", "directorymatch", "files", "filesmatch":
		return &idle{NotNeeded, "it is about files of this machine, and usher serves none"}
	}
	return nil
}
