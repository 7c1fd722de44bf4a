package xds

import (
	"regexp"
	"slices"
	"strings"

	"usher/model"
)

// ask finds the node that a request of a large pool names, as the script does
// (large.lua), and returns the order in which it looks for one; anew is that of
// requests that name none.
func (x *explainer) ask(s seating, anew []string) []string {
	x.e.Outcome = outcomeNew
	for _, by := range sources(s.Pool) {
		for _, name := range x.mentions(by) {
			i := slices.IndexFunc(s.Nodes, func(n model.Node) bool { return n.Name == name })
			switch {
			case i < 0 && x.e.Asked == "":
				x.e.Asked, x.e.Outcome = name, outcomeUnknown
			case i < 0:
			case s.Nodes[i].State != model.Disabled || s.Nodes[i].Redirect != "":
				x.e.Asked, x.e.Outcome = name, ""
				return s.order(name, group{then: redirects(s.Pool, s.Nodes[i])})
			case x.e.Asked == "":
				x.e.Asked, x.e.Outcome = name, outcomeDrained
			}
		}
	}
	return anew
}

// mentions are the names of a source in a request, in its order.
func (x *explainer) mentions(by source) (names []string) {
	if by.inPath {
		path, _, _ := strings.Cut(x.q.Path, "?")
		for _, rest := range strings.Split(path, ";"+by.name+"=")[1:] {
			value, _, _ := strings.Cut(rest, ";")
			if by.separator != "/" {
				value, _, _ = strings.Cut(value, "/")
			}
			name, _, _ := strings.Cut(behind(value, by.separator), "/")
			names = append(names, name)
		}
	} else {
		ends := ";,"
		if by.separator == "," {
			ends = ";"
		}
		crumb := regexp.MustCompile("(?:^|[;,]) *" + regexp.QuoteMeta(by.name) + "=([^" + ends + "]*)")
		for _, found := range crumb.FindAllStringSubmatch(x.header("cookie"), -1) {
			value := strings.TrimRight(found[1], " ")
			if len(value) > 1 && value[0] == '"' && value[len(value)-1] == '"' {
				value = value[1 : len(value)-1]
			}
			names = append(names, behind(value, by.separator))
		}
	}
	return slices.DeleteFunc(names, func(name string) bool { return name == "" })
}

// behind is the name in a value: what follows the first separator.
func behind(value, separator string) string {
	if separator == "" {
		return value
	}
	_, name, _ := strings.Cut(value, separator)
	return name
}
