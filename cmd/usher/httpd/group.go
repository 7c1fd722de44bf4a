package httpd

import (
	"regexp"
	"strings"
	"time"
)

// maxSpan is the longest time-out that model takes.
const maxSpan = 24 * time.Hour

// groupsOf writes the groups of a text as RE2 does, \1 for $1, and tells whether
// there are any.
func groupsOf(text string) (string, bool) {
	var b strings.Builder
	found := false
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c == '$' && i+1 < len(text) && text[i+1] >= '0' && text[i+1] <= '9':
			b.WriteByte('\\')
			found = true
		case c == '\\':
			b.WriteString(`\\`)
		default:
			b.WriteByte(c)
		}
	}
	return b.String(), found
}

var groupPattern = regexp.MustCompile(`\\.?`)

// hasGroups tells whether an expression has all groups that a text names.
func hasGroups(text, regex string) bool {
	compiled, err := regexp.Compile(regex)
	if err != nil {
		return false
	}
	for _, g := range groupPattern.FindAllString(text, -1) {
		if len(g) < 2 || g[1] < '0' || g[1] > '9' || int(g[1]-'0') > compiled.NumSubexp() {
			return false
		}
	}
	return true
}

// slashInGroup tells whether what the first group of an expression matches begins
// with the first slash of the path.
func slashInGroup(regex string) bool {
	for _, front := range []string{"^(/", "^.*?(/", "^(.*"} {
		if strings.HasPrefix(regex, front) {
			return true
		}
	}
	return false
}

// alternatives tells whether an expression has some that no bracket holds together.
func alternatives(pattern string) bool {
	depth := 0
	for i := 0; i < len(pattern); i++ {
		switch pattern[i] {
		case '\\':
			i++
		case '(', '[':
			depth++
		case ')', ']':
			depth--
		case '|':
			if depth == 0 {
				return true
			}
		}
	}
	return false
}
