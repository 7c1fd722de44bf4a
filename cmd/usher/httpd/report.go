package httpd

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode"
)

// Verdict is what became of a directive.
type Verdict string

// The verdicts, from the best on.
const (
	Carried      Verdict = "carried"
	Approximated Verdict = "approximated"
	NotCarried   Verdict = "not carried"
	NotNeeded    Verdict = "not needed"
	// Warning is a fault of the configuration itself, which was mended.
	Warning Verdict = "warning"
)

var verdicts = []Verdict{Carried, Approximated, NotCarried, NotNeeded, Warning}

// Row is one line of the report.
type Row struct {
	// File and Line are where the directive stands.
	File string
	Line int
	// What is the directive, or one of its parameters.
	What string
	// Verdict is what became of it.
	Verdict Verdict
	// Note says how it was approximated, what to do instead, or why it is not
	// needed. Empty where it was carried exactly.
	Note string
}

// String is the row as a compiler would say it.
func (r Row) String() string {
	text := fmt.Sprintf("%s:%d: ", r.File, r.Line)
	if r.What != "" {
		text += r.What + ": "
	}
	text += string(r.Verdict)
	if r.Note != "" {
		text += ": " + r.Note
	}
	return text
}

// Exact tells whether there is nothing to read about the row.
func (r Row) Exact() bool { return r.Verdict == Carried && r.Note == "" }

// Report is what became of every directive.
type Report []Row

// Summary counts the verdicts.
func (r Report) Summary() string {
	counts := map[Verdict]int{}
	for _, row := range r {
		counts[row.Verdict]++
	}
	var parts []string
	for _, v := range verdicts {
		if n := counts[v]; n == 1 || v != Warning {
			parts = append(parts, fmt.Sprintf("%d %s", n, v))
		} else if n > 0 {
			parts = append(parts, fmt.Sprintf("%d %ss", n, v))
		}
	}
	return strings.Join(parts, ", ")
}

// report has the rows of all directives below, in the order of the configuration:
// what is said of a directive as a whole goes before what is said of its parts.
func (d *directive) report() Report {
	report := Report(slices.Clone(d.rows))
	slices.SortStableFunc(report, func(a, b Row) int {
		whole := plain(d.brief())
		switch {
		case a.What == whole && b.What != whole:
			return -1
		case b.What == whole && a.What != whole:
			return 1
		}
		return 0
	})
	for _, b := range d.body {
		report = append(report, b.report()...)
	}
	return report
}

// say notes what became of a directive.
func (d *directive) say(v Verdict, note string) { d.sayOf(d.brief(), v, note) }

// sayOf notes what became of a part of a directive. Two servers that share it may
// say the same.
func (d *directive) sayOf(what string, v Verdict, note string) {
	row := Row{d.file, d.line, plain(what), v, plain(note)}
	if !slices.Contains(d.rows, row) {
		d.rows = append(d.rows, row)
	}
}

// amend says of a part of a directive what turned out later.
func (d *directive) amend(what string, v Verdict, note string) {
	for i, r := range d.rows {
		if r.What == plain(what) {
			d.rows[i].Verdict, d.rows[i].Note = v, plain(note)
		}
	}
}

// further says what else a directive is not as it was.
func (d *directive) further(note string) {
	note = plain(note)
	for i, r := range d.rows {
		switch {
		case r.What != plain(d.brief()) || strings.Contains(r.Note, note):
		case r.Verdict == Carried:
			d.rows[i].Verdict, d.rows[i].Note = Approximated, note
		case r.Verdict == Approximated:
			d.rows[i].Note += "; " + note
		}
	}
}

const briefText = 72 // characters of a directive in the report

var secretPattern = regexp.MustCompile(`(?i)\b(secret|password|passphrase)=\S+|//[^/\s@]*@`)

// brief is the directive as the report has it. Passwords stay where they are.
func (d *directive) brief() string {
	text := d.name
	if d.text != "" && !secretive(d.lower) && !strings.Contains(strings.ToLower(d.text), "authorization") {
		text += " " + strings.Join(strings.Fields(d.text), " ")
	}
	text = secretPattern.ReplaceAllStringFunc(text, func(found string) string {
		if name, _, ok := strings.Cut(found, "="); ok {
			return name + "=…"
		}
		return "//"
	})
	if d.section {
		text = "<" + text + ">"
	}
	if runes := []rune(text); len(runes) > briefText {
		return string(runes[:briefText-1]) + "…"
	}
	return text
}

// secretive tells whether a name is one of those whose values nobody else should
// read.
func secretive(name string) bool {
	return strings.Contains(name, "passphrase") || strings.Contains(name, "password") || strings.Contains(name, "secret")
}

// plain makes a text of one line of it, without anything that a terminal or a
// YAML comment would take for more than text.
func plain(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || r == '\u2028' || r == '\u2029' || r == '\ufeff' || r == unicode.ReplacementChar {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, " "))
}
