package httpd

import (
	"fmt"
	"slices"
	"strings"

	"usher/model"
)

// Sections that count for some requests of a path alone, and what they refuse.

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
