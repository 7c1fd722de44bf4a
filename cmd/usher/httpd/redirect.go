package httpd

import (
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"usher/model"
)

// secure is where a route sends everybody that is the same page by HTTPS.
type secure struct {
	host string // empty: the one that the client asked for
	port uint16
}

// redirectStatus reads the words and numbers of Redirect.
func redirectStatus(word string) (int, bool) {
	switch strings.ToLower(word) {
	case "permanent":
		return 301, true
	case "temp":
		return 302, true
	case "seeother":
		return 303, true
	case "gone":
		return 410, true
	}
	n, err := strconv.Atoi(word)
	return n, err == nil && n >= 200 && n <= 599
}

// redirectOf is the route of a Redirect, RedirectMatch, RedirectPermanent or
// RedirectTemp; in is the Location that it stands in.
func (t *translation) redirectOf(d, in *directive) *route {
	words, status := d.args, 302
	if d.is("redirectpermanent") {
		status = 301
	} else if n, ok := redirectStatus(word(words, 0)); ok && d.is("redirect", "redirectmatch") && !strings.HasPrefix(words[0], "/") {
		words, status = words[1:], n
	}
	if status < 300 || status > 399 {
		return t.answer(d, in, words, status)
	}
	if in != nil && len(words) == 1 {
		return t.whole(d, in, words[0], status)
	}
	var where *route
	if d.is("redirectmatch") {
		where = t.matching(d, word(words, 0))
	} else {
		where = t.prefix(word(words, 0), d)
	}
	if where == nil {
		return nil
	}
	return where.goes(word(words, 1), status)
}

// answer is a route with a status and no place to go.
func (t *translation) answer(d, in *directive, words []string, status int) *route {
	var where *route
	switch {
	case in != nil && len(words) == 0:
		where = t.where(in)
	case d.is("redirectmatch"):
		where = t.matching(d, word(words, 0))
	default:
		where = t.prefix(word(words, 0), d)
	}
	if where == nil {
		return nil
	}
	where.from, where.Respond = d, &model.Respond{Status: model.Status(status)} //nolint:gosec // 200 to 599
	return where
}

// whole sends all of a Location to one place: httpd puts nothing behind it there.
func (t *translation) whole(d, in *directive, to string, status int) *route {
	where := t.where(in)
	if where == nil {
		return nil
	}
	where.from = d
	if where.Path == "/" {
		if s := secureOf(to, where); s != nil && strings.Contains(to, "%{REQUEST_URI}") {
			return where.goes(to, status)
		}
		where.Regex, where.Path = "^/.*$", ""
	}
	if where.Regex == "" {
		where.Regex, where.Path = model.Regex("^"+escaped(strings.TrimSuffix(where.Path, "/"))+"(/.*)?$"), ""
	}
	return where.goes(to, status)
}

// goes sends a route's clients to a URL; nil where it can't.
func (r *route) goes(to string, status int) *route {
	if s := secureOf(to, r); s != nil {
		r.secure = s
	}
	if r.Regex != "" {
		to, _ = groupsOf(to)
	}
	to, note := expressionless(to, r)
	if strings.Contains(to, "?") && strings.Contains(to, `\`) {
		r.from.say(NotCarried, "usher puts no groups into a URL with a query: have a node redirect")
		return nil
	}
	if !isDestination(to) || r.Regex != "" && !hasGroups(to, string(r.Regex)) {
		r.from.say(NotCarried, fmt.Sprintf("%s is no URL and no path that usher could send to: write a redirect by hand", to))
		return nil
	}
	if note != "" {
		r.verdict, r.note = Approximated, note
	}
	if !slices.Contains([]int{301, 302, 303, 307, 308}, status) {
		r.verdict, r.note, status = Approximated, "by 302", 302
	}
	r.Redirect = &model.RouteRedirect{To: to}
	if status != 302 {
		r.Redirect.Status = model.Status(status)
	}
	return r
}

var secureHost = regexp.MustCompile(`^%\{(HTTP_HOST|SERVER_NAME|HTTP:Host)\}$`)

// secureOf tells whether a URL is the same page by HTTPS.
func secureOf(to string, r *route) *secure {
	rest, ok := strings.CutPrefix(to, "https://")
	if !ok {
		return nil
	}
	host, path, _ := strings.Cut(rest, "/")
	if at := strings.Index(rest, "%{REQUEST_URI}"); at >= 0 {
		host, path = rest[:at], ""
	}
	name, port := cutPort(host)
	if port == 0 {
		port = 443
	}
	if secureHost.MatchString(name) {
		name = ""
	}
	same := r.Path == "/" && path == "" || r.Regex == `^/(.*)$` && path == "$1"
	if !same || name != "" && !isHost(strings.ToLower(name)) {
		return nil
	}
	return &secure{strings.ToLower(name), port}
}

// everything tells whether a route is for all paths.
func (r *route) everything() bool { return r.Path == "/" || r.Regex == `^/(.*)$` }

// expressionless puts in the place of httpd's variables what usher has.
func expressionless(to string, r *route) (string, string) {
	if !strings.Contains(to, "%{") {
		return to, ""
	}
	if r.Regex != "" {
		to = strings.ReplaceAll(to, "%{REQUEST_URI}", `\0`)
	} else if r.Path == "/" {
		to = strings.ReplaceAll(to, "%{REQUEST_URI}", "")
	}
	to = strings.TrimSuffix(to, "?%{QUERY_STRING}")
	scheme, rest, ok := strings.Cut(to, "://%{")
	if name, path, found := strings.Cut(rest, "}"); ok && found && (name == "HTTP_HOST" || name == "SERVER_NAME") {
		return scheme + "://" + unknownHost + path, "to the first name of the listener"
	}
	return to, ""
}

// unknownHost stands for the listener's first name until that is known. No host is
// called so (RFC 6761, 6.4).
const unknownHost = "usher.invalid"

// isDestination tells whether model takes a URL or a path to send to.
func isDestination(to string) bool {
	u, err := url.Parse(to)
	if err != nil || u.User != nil || strings.ContainsAny(to, " \t\r\n%") || strings.HasPrefix(to, "//") {
		return false
	}
	if u.Host == "" {
		return strings.HasPrefix(to, "/")
	}
	return u.Scheme == "http" || u.Scheme == "https"
}
