package desk

import (
	"fmt"
	"slices"
	"strings"
)

// takenBack is a text as it is now without a change that was made in it before.
// Where later changes have touched the same lines it says which.
func takenBack(was, became, now []byte) ([]byte, error) {
	old, new, current := lines(was), lines(became), lines(now)
	later := single(swaps(new, current))
	var out []string
	at := 0 // in current
	for _, s := range single(swaps(new, old)) {
		shift, done := 0, false
		for _, l := range later {
			if l.from == s.from && l.to == s.to && slices.Equal(current[l.start:l.end], old[s.start:s.end]) {
				done = true // somebody has taken this much back
				break
			}
			if l.from < s.to && s.from < l.to || l.from == l.to && s.from == s.to && l.from == s.from {
				return nil, overlap(new[s.from:s.to], current[l.start:l.end], l.start)
			}
			if l.to <= s.from {
				shift = l.end - l.to
			}
		}
		if done {
			continue
		}
		out = append(out, current[at:s.from+shift]...)
		out = append(out, old[s.start:s.end]...)
		at = s.to + shift
	}
	return []byte(strings.Join(append(out, current[at:]...), "")), nil
}

// single takes as many lines that stand in the place of as many others one by one:
// neighbours that were changed at different times are told apart.
func single(all []swap) (out []swap) {
	for _, s := range all {
		if s.to-s.from != s.end-s.start {
			out = append(out, s)
			continue
		}
		for i := range s.to - s.from {
			out = append(out, swap{s.from + i, s.from + i + 1, s.start + i, s.start + i + 1})
		}
	}
	return out
}

// overlap says that a change can't be taken back, and what is in the way.
func overlap(wrote, found []string, line int) error {
	if len(found) == 0 {
		return fmt.Errorf("it can't be taken back: what it wrote has been removed since, by line %d: %s", line+1, brief(wrote))
	}
	return fmt.Errorf("it can't be taken back: line %d has changed since, to %s", line+1, brief(found))
}

func brief(all []string) string {
	if len(all) == 0 {
		return "nothing"
	}
	text := strings.TrimSpace(all[0])
	if len(all) > 1 {
		text += " …"
	}
	return text
}
