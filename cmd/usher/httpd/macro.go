package httpd

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// macro is a piece of configuration with parameters (mod_macro).
type macro struct {
	*directive
	parameters []string
	lines      []line
}

// macro takes the lines up to </Macro>.
func (r *reading) macro(d *directive, rest []line) []line {
	r.add(d)
	m := &macro{directive: d}
	if len(d.args) > 0 {
		m.parameters = d.args[1:]
	}
	for i, l := range rest {
		if strings.EqualFold(strings.TrimSpace(strings.TrimSuffix(l.text, ">")), "</macro") {
			m.lines = rest[:i]
			r.macros[strings.ToLower(d.arg(0))] = m
			return rest[i+1:]
		}
	}
	r.warn(d.place, d.brief()+" is never closed, and was left out")
	return rest
}

// use puts a macro's lines in the place of Use NAME values.
func (r *reading) use(d *directive, into *directive) {
	m := r.macros[strings.ToLower(d.arg(0))]
	switch {
	case m == nil:
		d.say(NotCarried, fmt.Sprintf("nothing says what the macro %s is: give the file with its <Macro>, too", d.arg(0)))
		return
	case len(d.args)-1 != len(m.parameters):
		d.say(Warning, fmt.Sprintf("%s has %d parameters, not %d; it was left out", m.brief(), len(m.parameters), len(d.args)-1))
		return
	case r.depth >= maxDepth:
		d.say(Warning, fmt.Sprintf("macros are %d deep here, perhaps in a circle; it was not used", maxDepth))
		return
	}
	d.say(Carried, "")
	m.say(Carried, "")
	r.depth++
	defer func() { r.depth-- }()
	r.read(m.with(d.args[1:]), into)
}

// with are the lines with values in the place of parameters, the longest names
// first, as mod_macro does.
func (m *macro) with(values []string) []line {
	order := make([]int, len(m.parameters))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(len(m.parameters[b]), len(m.parameters[a])) })
	var pairs []string
	for _, i := range order {
		if m.parameters[i] != "" {
			pairs = append(pairs, m.parameters[i], values[i])
		}
	}
	replace := strings.NewReplacer(pairs...)
	lines := slices.Clone(m.lines)
	for i := range lines {
		if text := replace.Replace(lines[i].text); len(text) <= maxLine {
			lines[i].text = text
		}
	}
	return lines
}
