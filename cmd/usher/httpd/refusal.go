package httpd

import (
	"fmt"
	"net/netip"
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

// onPaths is what a rule lets in that has a condition on the path: whom it refuses, it
// does on the paths of the condition. It is nil where there is none, or where other
// conditions keep out but some.
func onPaths(d *directive, conditions, undecided []*directive) *refusal {
	var where *route
	var rest []*directive
	for _, c := range either(undecided) {
		if _, or := rewriteFlags(c.arg(2))["or"]; or {
			return nil
		}
		r := conditionPaths(c)
		if r == nil {
			rest = append(rest, c)
		} else if where == nil {
			r.from, where = d, r
		}
	}
	set, ok := lettingIn(rest)
	if where == nil || len(rest) > 0 && !ok && !slices.ContainsFunc(rest, exceptSome) {
		return nil
	}
	for _, c := range conditions {
		if ok || !slices.Contains(rest, c) {
			c.rows = nil
			c.say(Carried, "")
		}
	}
	return &refusal{from: d, where: where, only: access{from: set}, verdict: Approximated, note: fmt.Sprintf("it was put on all paths that %s matches", where.Regex)}
}

// either makes one condition of those on the path that [OR] joins, where nothing else
// is joined to them.
func either(conditions []*directive) []*directive {
	if len(conditions) < 2 || slices.ContainsFunc(conditions, func(c *directive) bool { return !strings.EqualFold(c.arg(0), "%{REQUEST_URI}") }) {
		return conditions
	}
	one := *conditions[len(conditions)-1]
	var patterns []string
	for i, c := range conditions {
		_, or := rewriteFlags(c.arg(2))["or"]
		if _, nocase := rewriteFlags(c.arg(2))["nc"]; nocase || or != (i < len(conditions)-1) || strings.HasPrefix(c.arg(1), "!") {
			return conditions
		}
		patterns = append(patterns, c.arg(1))
	}
	one.args = []string{one.arg(0), strings.Join(patterns, "|")}
	return []*directive{&one}
}

// conditionPaths are those of a condition on the path, nil where it is on something
// else, or no expression of RE2.
func conditionPaths(c *directive) *route {
	pattern, flags := c.arg(1), rewriteFlags(c.arg(2))
	if !strings.EqualFold(c.arg(0), "%{REQUEST_URI}") || strings.ContainsAny(pattern[:min(1, len(pattern))], "!=<>-") {
		return nil
	}
	if _, nocase := flags["nc"]; nocase {
		pattern = "(?i)" + pattern
	}
	regex, ok := wholePath(pattern)
	if !ok {
		return nil
	}
	r := &route{verdict: Carried}
	r.Regex = model.Regex(regex)
	return r
}

// exceptSome tells whether a condition holds for all clients but some.
func exceptSome(c *directive) bool {
	if _, or := rewriteFlags(c.arg(2))["or"]; or && (strings.EqualFold(c.arg(0), "%{REQUEST_URI}") || strings.EqualFold(c.arg(0), "%{REMOTE_ADDR}")) {
		return true // nobody knows for how many
	}
	return !aboutRequest(c.arg(0)) && (strings.HasPrefix(c.arg(1), "!") || strings.Contains(c.arg(1), "(?!"))
}

// aboutRequest tells whether a variable is what a client says, and not who it is.
func aboutRequest(variable string) bool {
	switch strings.ToUpper(strings.Trim(variable, "%{}")) {
	case "REQUEST_METHOD", "QUERY_STRING", "THE_REQUEST", "SERVER_PROTOCOL", "HTTP_HOST", "SERVER_NAME", "HTTP_USER_AGENT", "HTTP_REFERER", "HTTP_ACCEPT",
		"HTTP:HOST", "HTTP:USER-AGENT", "HTTP:REFERER", "HTTP:ACCEPT", "HTTP:CONTENT-TYPE", "HTTP:CONTENT-LENGTH", "HTTP:RANGE":
		return true
	}
	return false
}

// lettingIn are the addresses that conditions let in, where all of them are about
// addresses: those for which not all hold. One with [OR] holds where the next one does.
func lettingIn(conditions []*directive) (all netset, ok bool) {
	refused, either := everybody(), netset(nil)
	for _, c := range conditions {
		pattern, not := strings.CutPrefix(c.arg(1), "!")
		set, read := addressesOf(pattern)
		if !strings.EqualFold(c.arg(0), "%{REMOTE_ADDR}") || !read {
			return nil, false
		}
		if not {
			set = everybody().without(set)
		}
		either = either.or(set)
		if _, or := rewriteFlags(c.arg(2))["or"]; !or {
			refused, either = refused.and(either), nil
		}
	}
	all = everybody().without(refused)
	return all, len(conditions) > 0 && len(all) <= maxNetworks
}

var (
	wholeAddress = regexp.MustCompile(`^(?:\d+\\\.){3}\d+\$$`)
	partAddress  = regexp.MustCompile(`^(?:\d+\\\.){1,3}$`)
)

// addressesOf reads =10.0.0.1, or an expression such as ^10\., ^(10\.1\.|192\.168\.)
// or ^10\.0\.0\.1$.
func addressesOf(pattern string) (all netset, ok bool) {
	if text, equal := strings.CutPrefix(pattern, "="); equal {
		ip, err := netip.ParseAddr(text)
		return netset{netip.PrefixFrom(ip, ip.BitLen())}, err == nil
	}
	text, anchored := strings.CutPrefix(pattern, "^")
	if inside, group := strings.CutPrefix(text, "("); group {
		tail := ""
		inside, tail, anchored = cutLast(strings.TrimPrefix(inside, "?:"), ")")
		text = strings.ReplaceAll(inside, "|", tail+"|") + tail
	} else if strings.Contains(text, "|") {
		text = strings.ReplaceAll(text, "|^", "|")
		anchored = anchored && strings.Count(pattern, "|^") == strings.Count(pattern, "|")
	}
	for one := range strings.SplitSeq(text, "|") {
		if !anchored || !wholeAddress.MatchString(one) && !partAddress.MatchString(one) {
			return nil, false
		}
		set, read := networksOf(strings.TrimSuffix(strings.ReplaceAll(one, `\.`, "."), "$"))
		if !read {
			return nil, false
		}
		all = all.or(set)
	}
	return all, true
}

func cutLast(text, separator string) (before, after string, found bool) {
	at := strings.LastIndex(text, separator)
	if at < 0 {
		return text, "", false
	}
	return text[:at], text[at+len(separator):], true
}

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

// rulesBelow takes the rules of mod_rewrite that stand in a section.
func (l *listener) rulesBelow(t *translation, d *directive) {
	if engine := d.last("rewriteengine"); engine != nil && !engine.on() {
		return
	}
	var conditions []*directive
	for _, rule := range d.those("rewritecond", "rewriterule") {
		if rule.is("rewritecond") {
			conditions = append(conditions, rule)
			continue
		}
		if f := refusing(rule, rewriteFlags(rule.arg(2)), conditions, "rules in a section are not followed: write a route for each"); f != nil {
			l.refusals = append(l.refusals, f.isIn(t, d))
		}
		conditions = nil
	}
}

// undecided are the sections of a server that count for some requests alone.
func (s *server) undecided() (all []*directive) {
	find := func(d *directive) {
		if d.section && d.is("if", "elseif", "else", "limit", "limitexcept") {
			all = append(all, d)
		}
	}
	bodies := s.body
	if s.main != nil {
		bodies = slices.Concat(s.main.body, bodies)
	}
	for _, d := range bodies {
		find(d)
		if d.is("location", "locationmatch", "proxy", "proxymatch") {
			d.walk(find)
		}
	}
	return all
}

// undecided takes a section that counts for some requests alone: what it closes is
// closed to all, but for one that keeps out what requests say of themselves.
func (l *listener) undecided(t *translation, d *directive) {
	if d.idle == nil || d.idle.verdict != NotCarried {
		return
	}
	change := t.rules(d.awake(), l.TLS != nil)
	if change == nil {
		return
	}
	var probe route
	change(&probe)
	only := probe.gates.result()
	where, out, understood := d.test()
	understood = understood && !only.certificate
	nobody := len(only.from) == 0
	if understood {
		only.from = only.from.or(everybody().without(out))
	}
	if only.from.all() && !only.certificate || len(only.from) == 0 && d.keepsOutSome() {
		return
	}
	f := &refusal{from: d, only: only, verdict: NotCarried, note: d.idle.note + "; until then its rules are for all requests there"}
	f.isIn(t, d.parent)
	if where != nil {
		f.paths, f.proxy = func(func(*route)) *route { return where }, nil
		f.note = fmt.Sprintf("%s; until then its rules are for all requests of %s", d.idle.note, where.Regex)
	}
	if understood {
		if f.verdict, f.note = Carried, ""; !nobody || where != nil && d.parent.is("proxy", "proxymatch") {
			f.verdict, f.note = Approximated, "rules around it count for these clients as well"
		}
		d.walk(func(b *directive) { b.say(Carried, "") })
	}
	l.refusals = append(l.refusals, f)
}

// awake is a copy of a section that counts.
func (d *directive) awake() *directive {
	c := *d
	c.idle, c.rows, c.body = nil, nil, nil
	for _, b := range d.body {
		inner := b.awake()
		inner.parent = &c
		c.body = append(c.body, inner)
	}
	return &c
}

var (
	negation    = regexp.MustCompile(`!|\bnot\b|-z\b|-ne\b`)
	pathTest    = regexp.MustCompile(`%\{(?:REQUEST_URI|DOCUMENT_URI)\}\s*=~\s*(?:m#([^#]*)#|m?/((?:[^/\\]|\\.)*)/|m\|([^|]*)\|)`)
	addressTest = regexp.MustCompile(`(!|\bnot\b)?\s*-R\s*'([^']*)'`)
	anyPath     = regexp.MustCompile(`(?i)REQUEST_URI|DOCUMENT_URI|REQUEST_FILENAME|PATH_INFO`)
	variables   = regexp.MustCompile(`%\{[^}]*\}`)
)

// keepsOutSome tells whether a section that lets nobody in is for a few: methods, or
// requests that say something of themselves or come from somewhere.
func (d *directive) keepsOutSome() bool {
	switch {
	case d.is("limit", "limitexcept"):
		return true
	case d.is("else"), anyPath.MatchString(d.text):
		return false
	}
	named := variables.FindAllString(d.text, -1)
	if len(named) > 0 && !slices.ContainsFunc(named, func(v string) bool { return !aboutRequest(v) }) && !strings.Contains(d.text, "-R") {
		return true
	}
	return d.is("if") && !negation.MatchString(d.text)
}

// test reads what an <If> asks for: a path, in a section that has none, and clients
// by their addresses, and whether that is all.
func (d *directive) test() (where *route, out netset, all bool) {
	rest := d.text
	if !d.is("if") || strings.Contains(rest, "||") {
		return nil, nil, false
	}
	if m := pathTest.FindStringSubmatch(rest); m != nil && !d.parent.is("location", "locationmatch") && !negation.MatchString(rest[:strings.Index(rest, m[0])]) {
		if regex, ok := wholePath(strings.ReplaceAll(m[1]+m[2]+m[3], `\/`, "/")); ok {
			where, rest = &route{from: d, verdict: Carried}, strings.Replace(rest, m[0], "", 1)
			where.Regex = model.Regex(regex)
		}
	}
	m := addressTest.FindStringSubmatch(rest)
	if m == nil {
		return where, nil, false
	}
	out, ok := networksOf(m[2])
	if m[1] != "" {
		out = everybody().without(out)
	}
	rest = strings.Trim(strings.Replace(rest, m[0], "", 1), ` "'&`)
	return where, out, ok && rest == ""
}
