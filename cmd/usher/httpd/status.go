package httpd

import (
	"fmt"
	"slices"
	"strings"

	"usher/model"
)

// flags are the letters of status=, the strongest first (proxy_wstat_tbl). I, E and
// C are no states of usher's.
var flags = []struct {
	letter byte
	state  model.State
}{
	{'D', model.Disabled}, {'S', model.Disabled}, {'N', model.Drain}, {'H', model.Standby}, {'R', model.Spare},
}

// setStatus takes flags such as +H or D-N.
func setStatus(p *pool, node int, value string) (Verdict, string) {
	if node < 0 {
		return NotCarried, "it belongs to a member"
	}
	set, ok := statusFlags(value)
	if !ok {
		return NotCarried, "flags are D, S, N, H, R, I, E and C"
	}
	var states []model.State
	for _, f := range flags {
		if set[f.letter] && !slices.Contains(states, f.state) {
			states = append(states, f.state)
		}
	}
	if len(states) > 0 {
		p.Nodes[node].State = states[0]
	}
	switch {
	case set['I']:
		return Approximated, "failures are never ignored; nearest is health: {passive: 0}, for the whole pool"
	case len(states) > 1:
		return Approximated, fmt.Sprintf("a node has one state, %s", states[0])
	case len(states) == 0 && (set['E'] || set['C']):
		return NotNeeded, "checks find out which nodes are in error"
	}
	return Carried, ""
}

// statusFlags are the flags that are set in the end.
func statusFlags(value string) (set map[byte]bool, ok bool) {
	set, mode := map[byte]bool{}, true
	for _, c := range []byte(strings.ToUpper(value)) {
		switch {
		case c == '+' || c == '-':
			mode = c == '+'
		case !strings.ContainsRune("DSNHRIEC", rune(c)):
			return nil, false
		default:
			set[c] = mode
		}
	}
	return set, len(set) > 0
}
