package httpd

import (
	"html"
	"strings"
)

// line is one of a file, with the lines that continue it.
type line struct {
	place
	text  string
	fault string // what was mended
}

// linesOf parts a file. A backslash at the end continues a line, also that of a
// comment, as in httpd (ap_cfg_getline).
func linesOf(file, text string) (all []line) {
	text = strings.TrimPrefix(text, "\ufeff")
	var whole strings.Builder
	first := 0
	for i, raw := range strings.Split(text, "\n") {
		raw = strings.TrimRight(raw, "\r")
		if whole.Len() == 0 {
			first = i + 1
		}
		begun, goesOn := strings.CutSuffix(raw, `\`)
		goesOn = goesOn && !strings.HasSuffix(begun, `\`) && whole.Len() < maxLine
		if whole.WriteString(begun); goesOn {
			continue
		}
		whole.WriteString(raw[len(begun):])
		all = appendLine(all, place{file, first}, whole.String())
		whole.Reset()
	}
	return appendLine(all, place{file, first}, whole.String())
}

// appendLine leaves comments and empty lines out.
func appendLine(all []line, at place, text string) []line {
	text = strings.TrimSpace(strings.ReplaceAll(text, "\u00a0", " "))
	if text == "" || text[0] == '#' {
		return all
	}
	if len(text) > maxLine {
		return append(all, line{at, "", "the line is too long, and was left out"})
	}
	mended, fault := mend(text)
	return append(all, line{at, mended, fault})
}

var straight = strings.NewReplacer("“", `"`, "”", `"`, "„", `"`, "‟", `"`, "‘", "'", "’", "'", "‚", "'")

// mend turns what a page of documentation has made of a line back into what it
// was.
func mend(text string) (mended, fault string) {
	if strings.HasPrefix(text, "&lt;") {
		return html.UnescapeString(text), "the brackets were written as &lt; and &gt;"
	}
	if mended = straight.Replace(text); mended != text {
		return mended, "typographic quotes were read as plain ones"
	}
	return text, ""
}

// wordsOf parts what stands behind a name, as httpd does (ap_getword_conf): a word
// that begins with a quote ends with it, and a backslash keeps a quote or another
// backslash in it. A word in braces (ProxyHCExpr) ends with the last of them.
func wordsOf(text string) (words []string) {
	for {
		text = strings.TrimLeft(text, " \t")
		if text == "" {
			return words
		}
		var w string
		switch text[0] {
		case '"', '\'':
			w, text = quoted(text[1:], text[0])
		case '{':
			w, text = braced(text)
		default:
			end := strings.IndexAny(text, " \t")
			if end < 0 {
				end = len(text)
			}
			w, text = strings.ReplaceAll(text[:end], `\\`, `\`), text[end:]
		}
		words = append(words, w)
	}
}

// quoted reads up to the quote.
func quoted(text string, quote byte) (word, rest string) {
	var b strings.Builder
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c == quote:
			return b.String(), text[i+1:]
		case c == '\\' && i+1 < len(text) && (text[i+1] == quote || text[i+1] == '\\'):
			i++
			b.WriteByte(text[i])
		default:
			b.WriteByte(c)
		}
	}
	return b.String(), ""
}

// braced reads up to the brace that closes the first.
func braced(text string) (word, rest string) {
	depth := 0
	for i, c := range []byte(text) {
		switch c {
		case '{':
			depth++
		case '}':
			depth--
		}
		if depth == 0 {
			return text[1:i], text[i+1:]
		}
	}
	return text[1:], ""
}
