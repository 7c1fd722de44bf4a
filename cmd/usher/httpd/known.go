package httpd

import (
	_ "embed"
	"strings"
)

// knownText says what is to be said of directives that no listener, pool or route
// has had a use for: those that never have one, and those that have one elsewhere.
//
//go:embed known.txt
var knownText string

// known are the entries of knownText by name in lower case, and those whose names
// end in * by what stands before it.
type known struct {
	names    map[string]idle
	prefixes map[string]idle
}

// parseKnown reads lines of the form `verdict: note`, each with the names that it
// is for, indented, below: NAME, or NAME=ARGUMENT.
func parseKnown(text string) known {
	k := known{map[string]idle{}, map[string]idle{}}
	var now idle
	for l := range strings.SplitSeq(text, "\n") {
		if !strings.HasPrefix(l, " ") {
			verdict, note, _ := strings.Cut(l, ": ")
			now = idle{Verdict(verdict), note}
			continue
		}
		for name := range strings.FieldsSeq(strings.ToLower(l)) {
			if prefix, ok := strings.CutSuffix(name, "*"); ok {
				k.prefixes[prefix] = now
			} else {
				k.names[name] = now
			}
		}
	}
	return k
}

// of is what is to be said of a directive.
func (k known) of(key string) (idle, bool) {
	if i, ok := k.names[key]; ok {
		return i, true
	}
	longest, found := idle{}, ""
	for prefix, i := range k.prefixes {
		if strings.HasPrefix(key, prefix) && len(prefix) > len(found) {
			longest, found = i, prefix
		}
	}
	return longest, found != ""
}

// rest says something of every directive of which nothing has been said.
func (t *translation) rest() {
	k := parseKnown(knownText)
	t.root.walk(func(d *directive) {
		if d.said() || d.name == "" {
			return
		}
		if i := d.why(); i != nil {
			d.say(i.verdict, i.note)
			return
		}
		if d.parent != nil && d.parent.is("proxymatch") {
			d.say(NotCarried, "usher's pools are known by name: write it into each pool that it is for")
			return
		}
		if d.section && d.is("location", "locationmatch", "proxy", "proxymatch") {
			t.restOfSection(d)
			return
		}
		i, ok := k.names[d.lower+"="+strings.ToLower(d.arg(0))]
		if !ok {
			i, ok = k.of(d.lower)
		}
		if ok {
			d.say(i.verdict, i.note)
			return
		}
		d.say(NotCarried, "usher has nothing like it")
	})
}

// restOfSection is for one that no route comes from: what stands in it has rows of
// its own.
func (t *translation) restOfSection(d *directive) {
	counts := false
	d.walk(func(b *directive) {
		for _, r := range b.rows {
			counts = counts || r.Verdict == Carried || r.Verdict == Approximated
		}
	})
	if counts {
		d.say(Carried, "")
		return
	}
	d.say(NotNeeded, "nothing in it is for a balancer, or nothing is proxied there")
}
