package httpd

import (
	"regexp"
	"slices"
	"strconv"
	"strings"

	"usher/model"
)

// expectation is what a good answer to a check looks like.
type expectation struct {
	statuses []model.StatusRange // empty: as without an expression
	body     string
}

// expectationOf reads an expression such as
//
//	%{REQUEST_STATUS} =~ /^[234]/ && hc('body') =~ /UP/
//
// It says false where usher's checks can't ask for the same.
func expectationOf(text string) (expectation, bool) {
	var e expectation
	var about []func(status int) bool
	parts := conjuncts(text)
	for _, part := range parts {
		if !plainPart(part, len(parts) == 1) {
			return e, false
		}
		if body, ok := bodyTerm(part); ok {
			if e.body != "" {
				return e, false
			}
			e.body = body
			continue
		}
		term, ok := statusTerm(part)
		if !ok {
			return e, false
		}
		about = append(about, term)
	}
	if len(about) > 0 {
		e.statuses = rangesOf(func(s int) bool {
			return !slices.ContainsFunc(about, func(good func(int) bool) bool { return !good(s) })
		})
	}
	return e, len(about) == 0 || len(e.statuses) > 0
}

// conjuncts parts an expression at &&.
func conjuncts(text string) (parts []string) {
	for part := range strings.SplitSeq(text, "&&") {
		parts = append(parts, strings.TrimSpace(part))
	}
	return parts
}

// plainPart tells whether a part means by itself what it means in the whole: its
// brackets are its own, and alternatives of one of several stand in them.
func plainPart(part string, alone bool) bool {
	if strings.Count(part, "(") != strings.Count(part, ")") {
		return false
	}
	if !strings.Contains(part, "||") {
		return true
	}
	wrapped := strings.HasPrefix(part, "(") && strings.HasSuffix(part, ")")
	return wrapped || alone && !strings.HasPrefix(part, "!")
}

var (
	bodyPattern   = regexp.MustCompile(`^\(?\s*(?i:hc)\(\s*['"]?body['"]?\s*\)\s*(=~|==|=)\s*(?:/([^/]*)/|m#([^#]*)#|['"]([^'"]*)['"])\s*\)?$`)
	statusPattern = regexp.MustCompile(`^(!?)\s*\(?\s*%\{REQUEST_STATUS\}\s*(=~|!~|==|!=|<=|>=|=|<|>|-?(?:eq|ne|lt|le|gt|ge))\s*(?:/(.*)/|m#(.*)#|['"]?(\d+)['"]?)\s*\)?$`)
)

// bodyTerm is the text that has to stand in the body. Of expressions only those
// that are plain texts can be asked for.
func bodyTerm(text string) (string, bool) {
	m := bodyPattern.FindStringSubmatch(text)
	if m == nil {
		return "", false
	}
	body := m[2] + m[3] + m[4]
	// Equality asks for more than a text in it.
	return body, m[1] == "=~" && body != "" && len(body) <= 1024 && regexp.QuoteMeta(body) == body
}

// statusTerm is a comparison of the status, or of its digits with an expression.
func statusTerm(text string) (func(status int) bool, bool) {
	var either []func(int) bool
	for part := range strings.SplitSeq(strings.Trim(text, "() "), "||") {
		one, ok := comparison(strings.TrimSpace(part))
		if !ok {
			return nil, false
		}
		either = append(either, one)
	}
	return func(s int) bool { return slices.ContainsFunc(either, func(f func(int) bool) bool { return f(s) }) }, true
}

func comparison(text string) (func(status int) bool, bool) {
	m := statusPattern.FindStringSubmatch(text)
	if m == nil {
		return nil, false
	}
	not := m[1] == "!"
	if m[2] == "=~" || m[2] == "!~" {
		re, err := regexp.Compile(m[3] + m[4])
		if err != nil || m[5] != "" {
			return nil, false
		}
		not = not != (m[2] == "!~")
		return func(s int) bool { return re.MatchString(strconv.Itoa(s)) != not }, true
	}
	n, err := strconv.Atoi(m[5])
	if err != nil {
		return nil, false
	}
	compare := comparisons[strings.TrimPrefix(m[2], "-")]
	return func(s int) bool { return compare(s, n) != not }, true
}

var comparisons = map[string]func(a, b int) bool{
	"==": func(a, b int) bool { return a == b }, "=": func(a, b int) bool { return a == b }, "eq": func(a, b int) bool { return a == b },
	"!=": func(a, b int) bool { return a != b }, "ne": func(a, b int) bool { return a != b },
	"<": func(a, b int) bool { return a < b }, "lt": func(a, b int) bool { return a < b },
	"<=": func(a, b int) bool { return a <= b }, "le": func(a, b int) bool { return a <= b },
	">": func(a, b int) bool { return a > b }, "gt": func(a, b int) bool { return a > b },
	">=": func(a, b int) bool { return a >= b }, "ge": func(a, b int) bool { return a >= b },
}

// rangesOf are the statuses that are good.
func rangesOf(good func(status int) bool) (ranges []model.StatusRange) {
	for s := 200; s <= 599; s++ { // final ones
		if !good(s) {
			continue
		}
		if last := len(ranges) - 1; last >= 0 && int(ranges[last].To) == s-1 {
			ranges[last].To = model.Status(s)
			continue
		}
		ranges = append(ranges, model.StatusRange{From: model.Status(s), To: model.Status(s)})
	}
	return ranges
}
