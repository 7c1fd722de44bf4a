package console

import (
	"fmt"
	"path/filepath"
	"time"

	"usher/cmd/usher/status"
)

// mood is how serious something is, by which the page colours it.
type mood string

const (
	good mood = "good"
	busy mood = "busy" // on its way
	warn mood = "warn"
	bad  mood = "bad"
	dull mood = "dull" // as the file wants, or not known
)

// overall is how it stands with all of it, in a word and a sentence.
type overall struct {
	Mood mood
	Word string
	Why  string
}

// stopped are the states in which the supervised Envoy does not serve as it should.
var stopped = map[string]bool{"died": true, "draining": true, "stopped": true}

// overallOf judges a status; what is worst is said.
func overallOf(s *status.Status, now time.Time) overall {
	file := filepath.Base(s.Config)
	switch e := s.Supervised; {
	case !s.Serving:
		return overall{bad, "Not serving", file + " has faults, and nothing was accepted before."}
	case s.Refusal != nil:
		return overall{bad, "Refused", "Envoy refused what " + file + " became; what was accepted before is served."}
	case s.Source == status.FromAccepted:
		return overall{bad, "Serving the last accepted file", file + " is not good; what was accepted before is served."}
	case len(s.Problems) > 0:
		return overall{warn, "Serving, with problems", fmt.Sprintf("%s: see below. What is not good is not served; what was before stays.", many(len(s.Problems), "problem"))}
	case e != nil && stopped[e.State]:
		return overall{warn, "Envoy " + e.State, e.Words}
	case len(s.Envoys) == 0:
		return overall{warn, "No Envoy connected", "Envoys that run go on with what they were told last."}
	case !s.Accepted:
		return overall{busy, "Being accepted", "Envoy has been told, and has not answered yet."}
	}
	return overall{good, "Serving", fmt.Sprintf("%s is accepted by every Envoy; changed %s.", file, ago(now, s.Changed))}
}
