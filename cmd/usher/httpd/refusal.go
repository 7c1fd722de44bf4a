package httpd

import (
	"regexp"
	"slices"
	"strings"

	"usher/model"
)

// Rules of mod_rewrite that answer 403, and sections that count for some requests of
// a path alone. Whom they let in is known where they go by the client's address;
// else the path is closed. Those that only keep out what requests say of themselves,
// such as a method or a browser's name, close nothing.

// refusal is what lets in fewer to some paths.
type refusal struct {
	from  *directive
	paths func(change func(*route)) *route // for which it is, nil where it is for those of a <Proxy>
	proxy *directive
	where *route // that of a condition on the path, in the place of these
	only  access // whom it lets in
	// What became of it.
	verdict Verdict
	note    string
}

// refuses tells whether a rule answers with an error in the place of a page.
func refuses(flags map[string]string) bool {
	_, forbidden := flags["f"]
	_, gone := flags["g"]
	code, ok := redirectStatus(flags["r"])
	return forbidden || gone || ok && code >= 400
}

// refused takes a rule of the server for which no route can stand.
func (l *listener) refused(d *directive, flags map[string]string, conditions []*directive, reason string) {
	f := refusing(d, flags, conditions, reason)
	if f == nil {
		d.say(NotCarried, reason)
		return
	}
	pattern := d.arg(0)
	if _, nocase := flags["nc"]; nocase {
		pattern = "(?i)" + pattern
	}
	where, wider := refusedPaths(d, pattern)
	if wider && f.verdict == Carried {
		f.verdict, f.note = Approximated, "it was put on more paths: what it is for is no expression of RE2"
	}
	f.paths = func(func(*route)) *route { return where }
	l.refusals = append(l.refusals, f)
}

// refusedPaths are those of a rule's expression, or more, where it is none of RE2 or
// stands for what does not match.
func refusedPaths(d *directive, pattern string) (where *route, wider bool) {
	if _, all := wholes[pattern]; all {
		return at("/", d), false
	}
	if strings.HasPrefix(strings.TrimPrefix(pattern, "(?i)"), "!") {
		return at("/", d), true
	}
	regex, ok := wholePath(pattern)
	if !ok {
		plain, nocase := strings.CutPrefix(pattern, "(?i)")
		begin := folder(plain)
		if !nocase || begin == "/" {
			return at(begin, d), true
		}
		regex = "(?i)^" + regexp.QuoteMeta(begin) + ".*$"
	}
	r := &route{from: d, verdict: Carried}
	r.Regex = model.Regex(regex)
	return r, !ok
}

// refusing is what a rule with its conditions lets in, nil where it keeps out but
// some.
func refusing(d *directive, flags map[string]string, conditions []*directive, reason string) *refusal {
	if !refuses(flags) {
		return nil
	}
	undecided := slices.DeleteFunc(slices.Clone(conditions), func(c *directive) bool {
		return len(c.rows) > 0 && c.rows[0].Verdict == NotNeeded
	})
	if f := onPaths(d, conditions, undecided); f != nil {
		return f
	}
	if set, ok := lettingIn(undecided); ok {
		for _, c := range undecided {
			c.rows = nil
			c.say(Carried, "")
		}
		return &refusal{from: d, only: access{from: set}, verdict: Carried}
	}
	if len(conditions) > 0 && !slices.ContainsFunc(undecided, exceptSome) {
		return nil
	}
	return &refusal{from: d, verdict: NotCarried, note: reason + "; until then what it is for is closed"}
}

var (
	wholeAddress = regexp.MustCompile(`^(?:\d+\\\.){3}\d+\$$`)
	partAddress  = regexp.MustCompile(`^(?:\d+\\\.){1,3}$`)
)

// refuse puts the refusals of a server onto its routes.
func (t *translation) refuse(l *listener, s *server, all []*route) []*route {
	sections := s.both("location", "locationmatch", "proxy", "proxymatch")
	for _, d := range sections {
		l.rulesBelow(t, d)
	}
	for _, f := range l.refusals {
		if f.verdict == Carried && slices.ContainsFunc(sections, f.yields) {
			f.verdict, f.note = Approximated, "in httpd the rules of one section alone count for a request: those of the last that it is in"
		}
	}
	for _, d := range s.undecided() {
		l.undecided(t, d)
	}
	for _, f := range l.refusals {
		all = f.onto(all)
	}
	return all
}

// yields tells whether a rule in a section may not count where another section is.
func (f *refusal) yields(to *directive) bool {
	d := f.from.parent
	if d == to || !d.is("location", "locationmatch", "proxy", "proxymatch") || len(to.those("rewriteengine", "rewriterule")) == 0 {
		return false
	}
	a, b := d.arg(0), to.arg(0)
	apart := d.is("location") && to.is("location") && isPlain(a) && isPlain(b) && !below(a, b) && !below(b, a)
	return !apart
}

// onto puts a refusal onto the routes that it is for.
func (f *refusal) onto(all []*route) []*route {
	change := func(r *route) { r.gates.beside = both(r.gates.beside, &f.only) }
	if f.where != nil {
		return overlay(all, f.where, change)
	}
	if f.proxy == nil {
		return overlay(all, f.paths(change), change)
	}
	for _, r := range all {
		if r.to == nil {
			continue
		}
		whole, part := r.inSection(f.proxy)
		if whole || part {
			change(r)
		}
		if part && !whole && f.verdict == Carried {
			f.verdict, f.note = Approximated, "it was put on all of the pool's requests"
		}
	}
	return all
}

// refusalsSaid says what became of each, in the place of what its routes say, unless
// these close more.
func (l *listener) refusalsSaid() {
	for _, f := range l.refusals {
		f.from.rows = slices.DeleteFunc(f.from.rows, func(r Row) bool {
			own := r.What == plain(f.from.brief())
			if own && r.Verdict == Approximated && f.verdict == Carried {
				f.verdict, f.note = r.Verdict, r.Note
			}
			return own
		})
		f.from.say(f.verdict, f.note)
	}
}

// isIn makes a refusal one for the requests of a section; for all, of one that is for
// all.
func (f *refusal) isIn(t *translation, d *directive) *refusal {
	if d.is("proxy", "proxymatch") {
		f.proxy = d
	}
	f.paths = func(change func(*route)) *route {
		if d.is("location", "locationmatch") {
			where, _ := t.ruled(d, change)
			return where
		}
		return at("/", d)
	}
	return f
}

var (
	negation    = regexp.MustCompile(`!|\bnot\b|-z\b|-ne\b`)
	pathTest    = regexp.MustCompile(`%\{(?:REQUEST_URI|DOCUMENT_URI)\}\s*=~\s*(?:m#([^#]*)#|m?/((?:[^/\\]|\\.)*)/|m\|([^|]*)\|)`)
	addressTest = regexp.MustCompile(`(!|\bnot\b)?\s*-R\s*'([^']*)'`)
	anyPath     = regexp.MustCompile(`(?i)REQUEST_URI|DOCUMENT_URI|REQUEST_FILENAME|PATH_INFO`)
	variables   = regexp.MustCompile(`%\{[^}]*\}`)
)
