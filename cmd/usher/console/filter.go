package console

import "strings"

// manyNodes are more than one wants to look through without a filter.
const manyNodes = 20

// filter is a text that what is shown has somewhere; it counts on its way.
type filter struct {
	Text                     string
	Total, Shown             int
	Up, Down, Unknown, Pools int
}

// Wanted tells whether a filter is worth its place.
func (f filter) Wanted() bool { return f.Total > manyNodes || f.Text != "" }

func (f *filter) pools(all []pool) (shown []pool) {
	for _, p := range all {
		var nodes []node
		for _, n := range p.Nodes {
			f.note(n)
			if f.matches(n) {
				nodes = append(nodes, n)
			}
		}
		p.Nodes = nodes
		f.Shown += len(nodes)
		if len(nodes) > 0 || f.Text == "" {
			shown = append(shown, p)
		}
	}
	return shown
}

func (f *filter) note(n node) {
	f.Total++
	switch {
	case n.Health == "not known":
		f.Unknown++
	case n.Mood == bad:
		f.Down++
	default:
		f.Up++
	}
}

// matches looks for every word of the text in what a line of the table says.
func (f *filter) matches(n node) bool {
	line := strings.ToLower(strings.Join([]string{n.Pool, n.Name, n.Address, n.IP, string(n.State), n.Health}, " "))
	for word := range strings.FieldsSeq(strings.ToLower(f.Text)) {
		if !strings.Contains(line, word) {
			return false
		}
	}
	return true
}
