package figures

import (
	"fmt"
	"strconv"
	"strings"
)

// tags are the labels of a line, as few as they are.
type tags []tag

type tag struct{ name, value string }

func (all tags) of(name string) string {
	for _, t := range all {
		if t.name == name {
			return t.value
		}
	}
	return ""
}

// cutSample cuts a line of Prometheus' text format, NAME{LABEL="VALUE",…} VALUE. The
// library reads anything that may be there, and takes ten times as long for the
// 25 MiB of ten thousand nodes.
func cutSample(line string) (name string, all tags, value float64, err error) {
	name, rest, ok := strings.Cut(line, "{")
	for ok && !strings.HasPrefix(rest, "}") {
		var t tag
		t.name, rest, ok = strings.Cut(rest, `="`)
		if !ok {
			break
		}
		t.value, rest, ok = cutValue(rest)
		all = append(all, t)
		rest = strings.TrimPrefix(rest, ",")
	}
	if !ok {
		return "", nil, 0, fmt.Errorf("Envoy's statistics: %q is not understood", line)
	}
	value, err = strconv.ParseFloat(strings.TrimPrefix(rest, "} "), 64)
	return name, all, value, err
}

var unescape = strings.NewReplacer(`\\`, `\`, `\"`, `"`, `\n`, "\n")

// cutValue cuts a label's value at its closing quote.
func cutValue(s string) (value, rest string, ok bool) {
	escaped := false
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == '\\':
			escaped = true
			i++
		case s[i] == '"' && escaped:
			return unescape.Replace(s[:i]), s[i+1:], true
		case s[i] == '"':
			return s[:i], s[i+1:], true
		}
	}
	return "", "", false
}
