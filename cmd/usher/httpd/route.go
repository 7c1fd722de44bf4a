package httpd

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"usher/model"
)

// route is one of a listener's, in the making.
type route struct {
	model.Route
	to      *pool      // where its requests go, nil where no node is asked
	from    *directive // what says so
	verdict Verdict    // and what became of it
	note    string
	comment string // behind it in the file
	gates   gates
	prefix  string // what a path of httpd's was before it became an expression
	secure  *secure
}

// isPlain tells whether model takes a path as it is.
func isPlain(path string) bool {
	return strings.HasPrefix(path, "/") && !strings.ContainsAny(path, "?#;%*") && !strings.ContainsFunc(path, func(r rune) bool { return r <= ' ' || r >= 0x7f }) &&
		!strings.Contains(path, "//") && !strings.Contains(path+"/", "/../") && !strings.Contains(path+"/", "/./")
}

// prefix is a route for a path that a directive names, nil where it is no path.
func (t *translation) prefix(path string, d *directive) *route {
	if !strings.HasPrefix(path, "/") {
		d.say(NotCarried, fmt.Sprintf("%q is no path", path))
		return nil
	}
	return at(path, d)
}

// at is a route for a prefix. One that model does not take becomes an expression,
// for httpd compares paths without escapes, and Envoy as they were sent.
func at(prefix string, from *directive) *route {
	r := &route{from: from, verdict: Carried}
	for strings.Contains(prefix, "//") {
		prefix = strings.ReplaceAll(prefix, "//", "/")
	}
	if isPlain(prefix) && isSpeltOneWay(prefix) {
		r.Path = prefix
		return r
	}
	r.prefix = prefix
	r.Regex = model.Regex("^" + escaped(prefix) + "((?:;[^/]*)?(?:/.*)?)$") // path parameters hide nothing
	if strings.HasSuffix(prefix, "/") {
		r.Regex = model.Regex("^" + escaped(prefix) + "(.*)$")
	}
	return r
}

// sent is a path as clients send it: httpd compares and writes them without escapes.
func sent(path string) string {
	var b strings.Builder
	for _, c := range []byte(path) {
		if c > ' ' && c < 0x7f && !strings.ContainsRune(`?#;%"<>\^{|}`+"`", rune(c)) {
			b.WriteByte(c)
			continue
		}
		fmt.Fprintf(&b, "%%%02X", c)
	}
	return b.String()
}

// isSpeltOneWay tells whether clients can write a path in one way alone, as far as Envoy
// sees it: it takes the escapes of unreserved characters out, and of no others.
func isSpeltOneWay(path string) bool {
	return !strings.ContainsFunc(path, func(r rune) bool { return r != '/' && !isUnreserved(r) })
}

// isUnreserved tells whether a character is the same with and without its escape (RFC
// 3986, 2.3).
func isUnreserved(r rune) bool {
	return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("-._~", r)
}

var hexLetter = regexp.MustCompile(`[A-F]`)

// escaped is an expression for a path in all the ways in which clients may send it.
func escaped(path string) string {
	var b strings.Builder
	for _, c := range []byte(path) {
		escape := hexLetter.ReplaceAllStringFunc(fmt.Sprintf("%%%02X", c), func(l string) string { return "[" + l + strings.ToLower(l) + "]" })
		switch {
		case c == '/' || isUnreserved(rune(c)):
			b.WriteString(regexp.QuoteMeta(string(rune(c))))
		case strings.IndexByte("!$&'()*+,;=:@", c) >= 0:
			b.WriteString("(?:" + regexp.QuoteMeta(string(rune(c))) + "|" + escape + ")")
		default:
			b.WriteString(escape)
		}
	}
	return b.String()
}

// below tells whether a path is a prefix or below it, in whole segments. /app/ is
// what is below /app without /app itself, as in httpd.
func below(path, prefix string) bool {
	switch {
	case strings.HasSuffix(prefix, "/"):
		return strings.HasPrefix(path, prefix)
	case path == prefix:
		return true
	}
	return strings.HasPrefix(path, prefix+"/")
}

// plainPath is the path of a route that has no expression.
func (r *route) plainPath() string { return r.Path + r.Exact }

// covers tells whether all requests of another route are also of this one.
func (r *route) covers(o *route) bool {
	switch {
	case r.Regex != "":
		return r.Regex == o.Regex
	case r.Exact != "":
		return r.Exact == o.Exact
	}
	return o.isWithin(r.Path)
}

// literal is a text that every path begins with that an expression matches.
func literal(regex string) string {
	rest, anchored := strings.CutPrefix(regex, "^")
	if !anchored {
		return ""
	}
	var b strings.Builder
	for i := 0; i < len(rest); i++ {
		c := rest[i]
		switch {
		case c == '\\' && i+1 < len(rest) && strings.IndexByte(`.+*?()[]{}|^$/-`, rest[i+1]) >= 0:
			i++
			c = rest[i]
		case strings.IndexByte(`\.+*?()[]{}|^$`, c) >= 0:
			return b.String()
		}
		if i+1 < len(rest) && strings.IndexByte("?*{", rest[i+1]) >= 0 {
			return b.String() // it may be missing
		}
		b.WriteByte(c)
	}
	return b.String()
}

// narrowed is the same for a part of its paths.
func (r *route) narrowed(path string) *route {
	n := *r
	n.Path = path
	if r.Rewrite != "" {
		n.Rewrite = strings.TrimSuffix(r.Rewrite, "/") + "/" + strings.TrimPrefix(strings.TrimPrefix(path, strings.TrimSuffix(r.Path, "/")), "/")
	}
	return &n
}

// same tells whether two routes do the same with their requests, beside where they
// are.
func (r *route) same(o *route) bool {
	return r.Pool == o.Pool && r.Deny == o.Deny && r.Redirect == nil && o.Redirect == nil && r.Respond == nil && o.Respond == nil &&
		strings.TrimSuffix(r.Rewrite, "/") == strings.TrimSuffix(o.Rewrite, "/") && r.Timeout == o.Timeout && r.gates.equal(o.gates)
}

// reachable leaves out what an earlier route takes, as httpd would. What is said
// of a route is said here, where it is known whether it counts.
func reachable(routes []*route) (all []*route) {
	takers := map[*directive]*route{}
	for i, r := range routes {
		by := coveredBy(r, routes[:i])
		switch {
		case by == nil:
			all = append(all, r)
			r.from.say(r.verdict, r.note)
		case r.Deny && (by.Deny || by.to == nil) || by.same(r):
			r.from.say(r.verdict, r.note)
		default:
			takers[r.from] = by
		}
	}
	for _, r := range routes {
		if by := takers[r.from]; by != nil && !r.from.said() {
			r.from.say(NotNeeded, fmt.Sprintf("it is never reached: %s in %s takes its requests first, in httpd as well", by.from.brief(), by.from.place))
		}
	}
	return all
}

func coveredBy(r *route, before []*route) *route {
	for _, b := range before {
		if b.covers(r) {
			return b
		}
	}
	return nil
}

// distinct makes of /app/ before /app what model can tell apart: what is left for
// the second is the one path, if no expression between them takes it.
func distinct(routes []*route) []*route {
	for i := 0; i < len(routes); i++ {
		for j := i + 1; j < len(routes); j++ {
			a, b := routes[i], routes[j]
			if b.Path == "" || a.Path != b.Path+"/" {
				continue
			}
			taken := slices.ContainsFunc(routes[i+1:j], func(e *route) bool { return e.matches(b.Path) })
			routes = slices.Delete(routes, j, j+1)
			switch {
			case taken:
			case a.same(b):
				a.Path, a.Rewrite = b.Path, b.Rewrite
			default:
				b.Path, b.Exact = "", b.Path
				routes = slices.Insert(routes, i, b)
				i++
			}
			break
		}
	}
	return routes
}

// matches tells whether a route is for an expression that matches a path.
func (r *route) matches(path string) bool {
	re, err := regexp.Compile("^(?:" + string(r.Regex) + ")$")
	return r.Regex != "" && err == nil && re.MatchString(path)
}
