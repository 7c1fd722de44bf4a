package httpd

import (
	"fmt"
	"strings"
)

// behind is the same for a path that became an expression, whose group is what
// stands behind it.
func (r *route) behind(path string) {
	path, _, _ = strings.Cut(strings.TrimSuffix(path, "/"), "?")
	if path != strings.TrimSuffix(r.prefix, "/") {
		r.Rewrite = sent(path) + `\1`
	}
}

// rewrite puts the path of the URL in the place of the route's, where they differ.
// httpd glues what is behind the one to the other; where just one of them ends in
// a slash that was hardly meant.
func (r *route) rewrite(path string) {
	path, _, query := strings.Cut(path, "?")
	if query {
		r.verdict, r.note = Approximated, "without the query in the URL"
	}
	mine := r.Path
	if strings.TrimSuffix(path, "/") == strings.TrimSuffix(mine, "/") {
		if path != mine && path != "" {
			r.verdict, r.note = Approximated, "the path stays as it is: one slash too much or too little at the end was not taken by the letter"
		}
		return
	}
	if path == "" {
		path = "/"
	}
	if strings.HasSuffix(mine, "/") != strings.HasSuffix(path, "/") && path != "/" {
		r.verdict, r.note = Approximated, "one slash too much or too little at the end was not taken by the letter"
		path = strings.TrimSuffix(path, "/")
		if strings.HasSuffix(mine, "/") {
			path += "/"
		}
	}
	if !isPlain(path) {
		r.verdict, r.note = NotCarried, fmt.Sprintf("%s is no plain path: write rewrite by hand", path)
		return
	}
	r.Rewrite = path
}

// substitute is the same for an expression. Without a group in it, all of the path
// is put behind the URL, as httpd does.
func (r *route) substitute(path string) {
	path, _, query := strings.Cut(path, "?")
	to, groups := groupsOf(path)
	switch {
	case groups:
	case path == "" || path == "/":
		return
	default:
		to = strings.TrimSuffix(to, "/") + `\0`
	}
	if query {
		r.verdict, r.note = Approximated, "without the query in the URL"
	}
	if !strings.HasPrefix(to, "/") && !slashInGroup(string(r.Regex)) {
		to = "/" + to // $1 stands right behind the host
	}
	if !hasGroups(to, string(r.Regex)) {
		r.verdict, r.note = NotCarried, "the URL names a group that the expression has not: write rewrite by hand"
		return
	}
	r.Rewrite = to
}
