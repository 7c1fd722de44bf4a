package httpd

import (
	"path"
	"regexp"
	"strings"
)

// sections are the Locations that a server's requests meet, in the order in which
// httpd merges them: of two that say the same thing the later one counts.
func (s *server) sections() []*directive { return s.both("location", "locationmatch") }

// where is a route for the paths of a section, nil where it can't be one.
func (t *translation) where(d *directive) *route {
	pattern := d.arg(0)
	switch {
	case d.is("locationmatch"):
		return t.matching(d, pattern)
	case pattern == "~":
		return t.matching(d, d.arg(1))
	case !strings.HasPrefix(pattern, "/"):
		d.say(NotCarried, "it is no path")
		return nil
	case strings.ContainsAny(pattern, "*?["):
		return t.matching(d, globbed(pattern))
	}
	return at(pattern, d)
}

// globbed is an expression for a path with wildcards, which do not stand for
// slashes and have to match all of it (apr_fnmatch with APR_FNM_PATHNAME).
func globbed(pattern string) string {
	var b strings.Builder
	b.WriteString("^")
	for _, c := range pattern {
		switch c {
		case '*':
			b.WriteString("[^/]*")
		case '?':
			b.WriteString("[^/]")
		case '[', ']', '-':
			b.WriteRune(c)
		default:
			b.WriteString(regexp.QuoteMeta(string(c)))
		}
	}
	return b.String() + "$"
}

// handled are the paths of a section that httpd answers itself, by SetHandler.
func (t *translation) handled(d *directive) *route {
	h := d.last("sethandler")
	if h == nil {
		return nil
	}
	instead := handlers[strings.ToLower(h.arg(0))]
	if instead == "" {
		h.say(NotCarried, "usher has no handlers: let a node answer, or write respond")
		return nil
	}
	h.say(NotCarried, instead)
	r := t.where(d)
	if r != nil {
		r.Deny, r.comment = true, instead
	}
	return r
}

var handlers = map[string]string{
	"balancer-manager": "usher status shows it; nodes are changed in the file",
	"server-status":    "usher status and /metrics show what runs",
	"server-info":      "usher show prints what runs",
	"ldap-status":      "usher has no LDAP",
	"md-status":        "usher cert list and usher status show certificates",
}

// glued is a path below another one.
func glued(prefix, rest string) string { return path.Join("/", prefix, rest) }
