package httpd

import (
	"fmt"
	"path"
	"regexp"
	"strings"
)

// define takes Define NAME [value].
func (r *reading) define(d *directive) {
	value := d.arg(1)
	r.variables[d.arg(0)] = r.expand(d.place, value, r)
	d.say(Carried, "")
}

var variablePattern = regexp.MustCompile(`\$\{[^}:$]+\}`)

// warner is who hears of what was mended.
type warner interface{ warn(at place, what string) }

// expand puts the values of ${NAME} in their place. One that has none stays as it
// is, as in httpd. Those of RewriteMap (${map:key}) are another matter.
func (p *parser) expand(at place, text string, w warner) string {
	if !strings.Contains(text, "${") {
		return text
	}
	expanded := variablePattern.ReplaceAllStringFunc(text, func(found string) string {
		name := found[2 : len(found)-1]
		if value, ok := p.variables[name]; ok {
			return value
		}
		if !p.unknown[name] {
			p.unknown[name] = true
			w.warn(at, fmt.Sprintf("nothing says what %s is: its Define stands in a file that was not read, or it comes from the environment", found))
		}
		return found
	})
	if len(expanded) > maxLine {
		w.warn(at, "the line is too long with its variables, which were left out")
		return text
	}
	return expanded
}

// envvars reads the variables that Debian's apachectl exports, from the file
// beside apache2.conf, or beside the folder of a site.
func (p *parser) envvars() {
	near := path.Dir(p.given)
	for _, folder := range []string{near, path.Dir(near)} {
		data, err := p.load(path.Join(folder, "envvars"))
		if err != nil {
			continue
		}
		for l := range strings.SplitSeq(data, "\n") {
			p.export(strings.TrimSpace(l))
		}
		return
	}
}

var (
	exportPattern = regexp.MustCompile(`^(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)=(.*)$`)
	shellPattern  = regexp.MustCompile(`\$\{?([A-Za-z_][A-Za-z0-9_]*)\}?`)
)

// export takes a line of a shell script that sets a variable. What the script
// decides for itself (SUFFIX, of several instances on a machine) is empty.
func (p *parser) export(text string) {
	m := exportPattern.FindStringSubmatch(text)
	if m == nil || strings.ContainsAny(m[2], "`()#") {
		return
	}
	value := shellPattern.ReplaceAllStringFunc(strings.Trim(m[2], `"'`), func(found string) string {
		return p.variables[shellPattern.FindStringSubmatch(found)[1]]
	})
	if len(value) > maxLine {
		return
	}
	p.variables[m[1]] = value
}
