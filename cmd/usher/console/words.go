package console

import (
	"fmt"
	"html/template"
	"math"
	"strings"
	"time"
)

// words are what templates say things with.
var words = template.FuncMap{
	"asset": assetURL,
	"rate":  rate,
	"ms":    milliseconds,
	"stamp": func(t time.Time) string { return t.UTC().Format(time.RFC3339) },
	"clock": func(t time.Time) string { return t.Local().Format("2 Jan 2006, 15:04:05") },
	"share": func(w float64) string { return fmt.Sprintf("%g", w) },
	"many":  many,
	"join":  func(all []string) string { return strings.Join(all, ", ") },
	"diff":  diffLines,
}

// rate is a number a second, as exact as one can use it.
func rate(n float64) string {
	switch {
	case n == 0:
		return "0"
	case n < 0.1:
		return "<0.1"
	case n < 10:
		return fmt.Sprintf("%.1f", n)
	}
	return count(n)
}

// count is a whole number with its thousands apart.
func count(n float64) string {
	text := fmt.Sprintf("%.0f", n)
	for at := len(text) - 3; at > 0; at -= 3 {
		text = text[:at] + "\u202f" + text[at:]
	}
	return text
}

// milliseconds is a time; a dash where nothing was measured.
func milliseconds(ms float64) string {
	switch {
	case ms == 0:
		return "–"
	case ms < 10:
		return fmt.Sprintf("%.1f ms", ms)
	case ms < 1000:
		return fmt.Sprintf("%.0f ms", ms)
	}
	return fmt.Sprintf("%.1f s", ms/1000)
}

// many is a number of things.
func many(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}

// ago is how long something is past, coarse enough to stay the same for a while.
func ago(now, then time.Time) string {
	d := now.Sub(then)
	switch {
	case then.IsZero():
		return "never"
	case d < time.Minute:
		return "just now"
	case d < 2*time.Hour:
		return many(int(d.Minutes()), "minute") + " ago"
	case d < 48*time.Hour:
		return many(int(d.Hours()), "hour") + " ago"
	}
	return many(int(d.Hours()/24), "day") + " ago"
}

// daysLeft are the whole days until a moment, negative where it is past.
func daysLeft(now, then time.Time) int { return int(math.Floor(then.Sub(now).Hours() / 24)) }

// diffLine is a line of a unified diff.
type diffLine struct{ Class, Text string }

// diffLines tells the lines of a diff apart.
func diffLines(diff string) (all []diffLine) {
	for line := range strings.Lines(diff) {
		line = strings.TrimRight(line, "\r\n")
		class := ""
		switch {
		case strings.HasPrefix(line, "--- "), strings.HasPrefix(line, "+++ "):
			class = "name"
		case strings.HasPrefix(line, "@@"):
			class = "place"
		case strings.HasPrefix(line, "+"):
			class = "more"
		case strings.HasPrefix(line, "-"):
			class = "less"
		}
		all = append(all, diffLine{class, line})
	}
	return all
}
