package desk

import (
	"fmt"
	"slices"
	"strings"
)

// swap is a run of lines that another run stands in the place of: a[from:to]
// becomes b[start:end]. One of them may be empty.
type swap struct{ from, to, start, end int }

// dearest bounds the search for the shortest way from one text to another; those
// that have less in common are told apart as a whole.
const dearest = 1000

// swaps are what has to change for a to become b, in order (E. Myers, "An O(ND)
// Difference Algorithm", 1986).
func swaps(a, b []string) []swap {
	top := 0
	for top < min(len(a), len(b)) && a[top] == b[top] {
		top++
	}
	end := 0
	for end < min(len(a), len(b))-top && a[len(a)-1-end] == b[len(b)-1-end] {
		end++
	}
	a, b = a[top:len(a)-end], b[top:len(b)-end]
	var all []swap
	for _, s := range merged(steps(a, b)) {
		all = append(all, swap{s.from + top, s.to + top, s.start + top, s.end + top})
	}
	return all
}

// steps are single lines that go or come, in order, or all at once.
func steps(a, b []string) []swap {
	whole := swap{0, len(a), 0, len(b)}
	switch {
	case len(a)+len(b) == 0:
		return nil
	case len(a) == 0 || len(b) == 0:
		return []swap{whole}
	}
	var trail [][]int    // by the number of steps: the farthest line of a on each diagonal, from -d on
	reach := []int{0, 0} // where diagonal 0 may begin
	for d := 0; d <= dearest; d++ {
		trail = append(trail, reach)
		next := make([]int, 2*d+3) // diagonals -d-1 to d+1
		for k := -d; k <= d; k += 2 {
			x := from(reach, d, k)
			for x < len(a) && x-k < len(b) && a[x] == b[x-k] {
				x++
			}
			next[k+d+1] = x
			if x >= len(a) && x-k >= len(b) {
				return back(trail, len(a), len(b))
			}
		}
		reach = next
	}
	return []swap{whole}
}

// down tells whether the d-th step to a diagonal takes a line of b; else it drops one
// of a. The reach of d-1 steps begins with the diagonal -d.
func down(reach []int, d, k int) bool {
	return k == -d || k != d && reach[k-1+d] < reach[k+1+d]
}

// from is the line of a where the d-th step to a diagonal arrives.
func from(reach []int, d, k int) int {
	switch {
	case d == 0:
		return 0
	case down(reach, d, k):
		return reach[k+1+d]
	}
	return reach[k-1+d] + 1
}

// back walks a way from its end.
func back(trail [][]int, x, y int) []swap {
	var all []swap
	for d := len(trail) - 1; d > 0; d-- {
		reach, k := trail[d], x-y
		if down(reach, d, k) {
			x = reach[k+1+d]
			y = x - k - 1
			all = append(all, swap{x, x, y, y + 1})
		} else {
			x = reach[k-1+d]
			y = x - k + 1
			all = append(all, swap{x, x + 1, y, y})
		}
	}
	slices.Reverse(all)
	return all
}

// merged joins swaps that touch.
func merged(all []swap) (out []swap) {
	for _, s := range all {
		if n := len(out) - 1; n >= 0 && out[n].to == s.from && out[n].end == s.start {
			out[n].to, out[n].end = s.to, s.end
			continue
		}
		out = append(out, s)
	}
	return out
}

// lines splits a text; every line has its end.
func lines(text []byte) []string {
	all := strings.SplitAfter(string(text), "\n")
	if all[len(all)-1] == "" {
		all = all[:len(all)-1]
	}
	return all
}

// around is how many lines a diff shows in front of a change and behind it.
const around = 3

// unified is the difference of two texts as `diff -u` writes it, empty where there
// is none.
func unified(name string, was, now []byte) string {
	a, b := lines(was), lines(now)
	all := swaps(a, b)
	if len(all) == 0 {
		return ""
	}
	var out strings.Builder
	fmt.Fprintf(&out, "--- %s\n+++ %s\n", name, name)
	for len(all) > 0 {
		n := 1
		for n < len(all) && all[n].from-all[n-1].to <= 2*around {
			n++
		}
		hunk(&out, a, b, all[:n])
		all = all[n:]
	}
	return out.String()
}

func hunk(out *strings.Builder, a, b []string, all []swap) {
	first, last := all[0], all[len(all)-1]
	before, after := min(around, first.from), min(around, len(a)-last.to)
	fmt.Fprintf(out, "@@ -%s +%s @@\n", span(first.from-before, last.to+after), span(first.start-before, last.end+after))
	at := first.from - before
	for _, s := range all {
		show(out, " ", a[at:s.from])
		show(out, "-", a[s.from:s.to])
		show(out, "+", b[s.start:s.end])
		at = s.to
	}
	show(out, " ", a[at:last.to+after])
}

func span(from, to int) string {
	if from == to {
		return fmt.Sprintf("%d,0", from)
	}
	return fmt.Sprintf("%d,%d", from+1, to-from)
}

func show(out *strings.Builder, mark string, all []string) {
	for _, l := range all {
		text, ended := strings.CutSuffix(l, "\n")
		out.WriteString(mark + strings.TrimSuffix(text, "\r") + "\n")
		if !ended {
			out.WriteString("\\ No newline at end of file\n")
		}
	}
}
