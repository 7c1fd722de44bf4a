package httpd

import (
	"fmt"
	"strings"

	"usher/model"
)

// pass is the route of a ProxyPass or a ProxyPassMatch. In a Location the path is
// that of the section.
func (t *translation) pass(s *server, d *directive, in *directive) *route {
	words := d.args
	matches := d.is("proxypassmatch")
	var where *route
	switch {
	case in != nil:
		where = t.where(in)
	case len(words) > 0 && words[0] == "~":
		where, words = t.matching(d, word(words, 1)), words[min(2, len(words)):]
	case matches:
		where, words = t.matching(d, word(words, 0)), words[min(1, len(words)):]
	default:
		where, words = t.prefix(word(words, 0), d), words[min(1, len(words)):]
	}
	if where == nil {
		return nil
	}
	where.from = d
	url := word(words, 0)
	if url == "!" {
		where.Deny = true
		return where
	}
	t.forward(s, where, url, in)
	if where.to != nil {
		t.parameters(where, words[1:])
	}
	return where
}

func word(words []string, i int) string {
	if i < len(words) {
		return words[i]
	}
	return ""
}

// matching is a route for an expression, nil where it has no equal.
func (t *translation) matching(d *directive, pattern string) *route {
	regex, ok := wholePath(pattern)
	if begin := folder(pattern); !ok && begin != "/" && d.args[len(d.args)-1] == "!" {
		r := at(begin, d) // what is kept from the pools stays so
		r.verdict, r.note = Approximated, fmt.Sprintf("%q is no expression of RE2: all of %s was left out", pattern, begin)
		return r
	}
	if !ok {
		d.say(NotCarried, fmt.Sprintf("%q is no expression of RE2, which has no look-around and no back references: write a route with another one", pattern))
		return nil
	}
	r := &route{from: d, verdict: Carried}
	r.Regex = model.Regex(regex)
	return r
}

// wholePath is an expression for all of the path, where httpd's may match a part
// of it.
func wholePath(pattern string) (string, bool) {
	if pattern == "" {
		return "", false
	}
	pattern, folds := strings.CutPrefix(pattern, "(?i)")
	whole := pattern
	if alternatives(pattern) {
		whole = "(?:" + pattern + ")" // each with anchors of its own
	}
	if !strings.HasPrefix(whole, "^") {
		whole = "^.*?" + whole
	}
	switch {
	case strings.HasSuffix(whole, ".*") && !strings.HasSuffix(whole, `\.*`):
		whole += "$"
	case !strings.HasSuffix(whole, "$") || strings.HasSuffix(whole, `\$`):
		whole += ".*$"
	}
	if folds {
		whole = "(?i)" + whole
	}
	_, err := model.ParseRegex(whole)
	return whole, err == nil
}

// forward sends the requests of a route to what a URL names. Where no node of usher's
// can be asked the path is closed: otherwise a wider route would take it.
func (t *translation) forward(s *server, r *route, url string, in *directive) {
	u := targetOf(url)
	var p *pool
	reason := u.foreign()
	switch {
	case reason != "":
	case u.scheme == "balancer":
		if p = t.find(s, u.host); p == nil || len(p.Nodes) == 0 {
			p, reason = nil, fmt.Sprintf("balancer://%s has no members that were read", u.host)
		}
	default:
		p = t.direct(u, r.from, hostSaid(t.innermost(nil, s, in, "proxypreservehost")))
	}
	if p == nil {
		r.Deny, r.verdict, r.note = true, NotCarried, reason+"; until then the path is closed"
		r.comment = reason
		return
	}
	r.to, r.Pool = p, p.Name
	p.usedBy(s)
	t.face(p, s, in)
	path := u.path
	if p.owner != nil && p.path != "" {
		path = p.path + path
		if u.path == "/" && !strings.HasSuffix(r.Path, "/") {
			path = p.path
		}
	}
	switch {
	case r.prefix != "":
		r.behind(path)
	case r.Regex != "":
		r.substitute(path)
	default:
		r.rewrite(path)
	}
}

// parameters are those of a ProxyPass, and the words that stand alone.
func (t *translation) parameters(r *route, words []string) {
	var rest []string
	for _, w := range words {
		switch strings.ToLower(w) {
		case "nocanon":
			r.from.sayOf(w, Approximated, "the path goes to the node as it was sent, freed of //, /./ and /../")
		case "interpolate":
			r.from.sayOf(w, NotCarried, "usher puts nothing of a request into addresses")
		case "noquery":
			r.from.sayOf(w, NotCarried, "the query goes to the node as it was sent")
		default:
			rest = append(rest, w)
		}
	}
	if r.to.owner != nil {
		r.to.set(r.from, rest)
		return
	}
	for _, w := range rest {
		key, value, _ := strings.Cut(w, "=")
		if d, ok := spanOf(value); ok && strings.EqualFold(key, "timeout") && r.to.said["timeout"] != "" && r.to.Timeout.Std() != d {
			r.Timeout, _, _ = bounded(d, 0, maxSpan)
			r.from.sayOf(w, Approximated, "it bounds the whole answer, not the time between two parts of it")
			continue
		}
		r.to.setNode(r.from, []string{w}, 0)
	}
}
