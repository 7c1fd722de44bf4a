package httpd

import (
	"reflect"
	"strings"
	"unicode/utf8"

	"usher/model"
)

// page is the cluster file, in the making.
type page struct{ text strings.Builder }

// entry is a line with a comment behind it.
type entry struct{ text, comment string }

// remark is a line of its own that says something to people.
func (p *page) remark(indent int, text string) {
	p.text.WriteString(strings.Repeat(" ", indent) + "# " + plain(text) + "\n")
}

const (
	column = 60 // where comments stand at most
	behind = 64 // characters of a comment behind a line; longer ones stand above
)

// entries writes lines with their comments below each other.
func (p *page) entries(indent int, all []entry) {
	width := 0
	for _, e := range all {
		if n := utf8.RuneCountInString(e.text); e.isBehind() && n <= column {
			width = max(width, n)
		}
	}
	for _, e := range all {
		if e.comment != "" && !e.isBehind() {
			p.remark(indent+dash(e.text), e.comment)
		}
		p.text.WriteString(strings.Repeat(" ", indent) + e.text)
		if e.isBehind() {
			p.text.WriteString(strings.Repeat(" ", max(0, width-utf8.RuneCountInString(e.text))) + "  # " + plain(e.comment))
		}
		p.text.WriteByte('\n')
	}
}

func (e entry) isBehind() bool {
	return e.comment != "" && utf8.RuneCountInString(e.comment) <= behind
}

// dash is how far a line's text is from where the dash of its list would be.
func dash(text string) int { return len(text) - len(strings.TrimLeft(text, " ")) }

// mapping are the keys of a struct of model, each on a line, without those of its
// lists. The first begins an entry of a list.
func mapping(v any, notes, raw map[string]string, without string) (all []entry) {
	rv := reflect.ValueOf(v)
	for i := range rv.NumField() {
		f := rv.Type().Field(i)
		key := f.Tag.Get("yaml")
		text, written := raw[key]
		if key == "" || key == without || rv.Field(i).IsZero() && !written {
			continue
		}
		if !written {
			text = flow(rv.Field(i))
		}
		if s := rv.Field(i); key == "sticky" && s.Len() == 1 {
			text = flow(s.Index(0))
		}
		begin := "  "
		if len(all) == 0 {
			begin = "- "
		}
		all = append(all, entry{begin + key + ": " + text, notes[key]})
	}
	return all
}

// yaml writes the file.
func (t *translation) yaml(head string) []byte {
	var p page
	p.remark(0, head+" by usher import httpd, whose report says")
	p.remark(0, "what became of each directive. Next: usher check, and usher check --live.")
	for i, u := range t.unread {
		if i == 0 {
			p.remark(0, "Not all was read: what these files close is open here.")
		}
		p.remark(0, u)
	}
	if len(t.listeners) > 0 {
		p.text.WriteString("\nlisteners:\n")
	} else {
		p.text.WriteString("\nlisteners: [] # nothing that was read listens anywhere\n")
	}
	told := map[*server]bool{}
	for _, l := range t.listeners {
		t.listener(&p, l, !told[l.from])
		told[l.from] = true
	}
	if len(t.pools) > 0 {
		p.text.WriteString("\npools:\n")
	}
	for _, o := range t.pools {
		t.pool(&p, o)
	}
	if len(t.certificates) > 0 {
		p.text.WriteString("\ncertificates:\n")
	}
	var all []entry
	for _, c := range t.certificates {
		all = append(all, entry{"- " + flow(reflect.ValueOf(c.Certificate)), c.comment})
	}
	p.entries(2, all)
	if lost := t.lost(t.main.directive); len(lost) > 0 {
		p.text.WriteString("\n# Of the main server:\n")
		for _, l := range lost {
			p.remark(0, l)
		}
	}
	return []byte(p.text.String())
}

// listener writes one, and once what was not carried of its server.
func (t *translation) listener(p *page, l *listener, lost bool) {
	if l.from.main != nil {
		p.remark(2, l.from.brief()+", "+l.from.String())
	} else {
		p.remark(2, "the main server")
	}
	p.entries(2, mapping(l.Listener, l.notes, nil, "routes"))
	if len(l.routes) > 0 {
		p.entries(4, []entry{{"routes:", ""}})
	}
	var routes []entry
	for _, r := range l.routes {
		routes = append(routes, entry{"- " + r.line(l), r.remark()})
	}
	p.entries(6, routes)
	for _, text := range l.lost {
		p.remark(4, text)
	}
	if !lost || l.from.main == nil {
		return
	}
	for _, text := range t.lost(l.from.directive) {
		p.remark(4, text)
	}
}

// line is the route as the file has it.
func (r *route) line(l *listener) string {
	w := r.Route
	if w.Redirect != nil {
		host := l.from.firstName()
		if host == "" {
			host = model.DefaultCertificateFor
		}
		to := *w.Redirect
		to.To = strings.Replace(to.To, unknownHost, host, 1)
		w.Redirect = &to
	}
	text := flow(reflect.ValueOf(w))
	if r.to != nil && r.to.said["upgrades"] != "" {
		text = strings.TrimSuffix(text, "}") + ", upgrades: " + r.to.said["upgrades"] + "}"
	}
	return text
}

// remark is where the route comes from, and what is to be known of it.
func (r *route) remark() string {
	text := ""
	if r.from.file != "" {
		text = r.from.String()
	}
	if r.comment == "" {
		return text
	}
	return strings.TrimPrefix(text+": "+r.comment, ": ")
}

func (t *translation) pool(p *page, o *pool) {
	p.remark(2, o.from.brief()+", "+o.from.String())
	raw := map[string]string{}
	if o.said["attempts"] == "0" {
		raw["attempts"] = "0"
	}
	p.entries(2, mapping(o.Pool, o.notes, raw, "nodes"))
	p.entries(4, []entry{{"nodes:", ""}})
	var nodes []entry
	for i, n := range o.Nodes {
		nodes = append(nodes, entry{"- " + flow(reflect.ValueOf(n)), o.nodes[i]})
	}
	p.entries(6, nodes)
	for _, text := range o.lost {
		p.remark(4, text)
	}
	if d := t.sectionOf(o); d != nil {
		for _, text := range t.lost(d) {
			p.remark(4, text)
		}
	}
}
