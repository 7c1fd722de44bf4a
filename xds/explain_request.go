package xds

import (
	"regexp"
	"strings"
)

// What Envoy makes of a request before it looks for a route.

func fullMatch(pattern, text string) bool {
	re, err := regexp.Compile(`^(?:` + pattern + `)$`)
	return err == nil && re.MatchString(text) // patterns of this package compile
}

// header is what a matcher gets of a header: several fields are one, as HTTP/1 has
// them.
func (x *explainer) header(name string) string {
	switch name {
	case ":path":
		return x.q.Path
	case ":method":
		return x.q.Method
	case ":authority":
		return x.q.Host
	}
	return strings.Join(x.q.Header.Values(name), ",")
}

// cookie is the first of that name, without quotes.
func (x *explainer) cookie(name string) (string, bool) {
	for crumb := range strings.SplitSeq(x.header("cookie"), ";") {
		if key, value, ok := strings.Cut(strings.TrimLeft(crumb, " "), "="); ok && key == name {
			value = strings.TrimRight(value, " ")
			if len(value) > 1 && value[0] == '"' && value[len(value)-1] == '"' {
				value = value[1 : len(value)-1]
			}
			return value, true
		}
	}
	return "", false
}

// normalized is a path with its query as Envoy matches it: dot segments resolved,
// slashes merged, escapes of plain characters undone (Envoy: normalize_path,
// merge_slashes); not ok where that can't be, or an escaped slash is in it.
func normalized(target string) (path string, ok bool) {
	path, query, asked := strings.Cut(target, "?")
	path, _, _ = strings.Cut(path, "#")
	low := strings.ToLower(path)
	if !strings.HasPrefix(path, "/") || strings.Contains(low, "%2f") || strings.Contains(low, "%5c") || strings.Contains(low, "%00") {
		return "", false
	}
	path = resolved(unescaped(strings.ReplaceAll(path, `\`, "/")))
	for strings.Contains(path, "//") {
		path = strings.ReplaceAll(path, "//", "/")
	}
	if asked {
		path += "?" + query
	}
	return path, true
}

// unescaped undoes escapes of letters, digits and - . _ ~ (RFC 3986, 2.3).
func unescaped(path string) string {
	return escape.ReplaceAllStringFunc(path, func(e string) string {
		c := unhex(e[1])<<4 | unhex(e[2])
		if strings.IndexByte(unreserved, c) >= 0 {
			return string(rune(c))
		}
		return e
	})
}

var escape = regexp.MustCompile(`%[0-9A-Fa-f]{2}`)

func unhex(c byte) byte {
	if c <= '9' {
		return c - '0'
	}
	return c | 0x20 - 'a' + 10
}

// resolved is a path without dot segments (RFC 3986, 5.2.4); an empty segment is
// one that .. takes away.
func resolved(path string) string {
	var out []string
	segments := strings.Split(path[1:], "/")
	for i, s := range segments {
		last := i == len(segments)-1
		switch s {
		case ".":
		case "..":
			out = out[:max(0, len(out)-1)]
		default:
			out = append(out, s)
			continue
		}
		if last {
			out = append(out, "")
		}
	}
	return "/" + strings.Join(out, "/")
}
