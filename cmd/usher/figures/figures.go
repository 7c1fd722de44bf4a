// Package figures is what Envoys count, the supervised one or those elsewhere that
// show it: asked over their admin interfaces, put into the words of cluster.yaml,
// summed up, and kept for an hour.
//
// A Watch asks once a second while somebody looks, and else every five; Latest and
// Hour are values that never change once they are made. Counters go on where they
// were when Envoy is started anew. It decides nothing, changes nothing in Envoy and
// knows no more of the file than the status tells. It serves the status, /metrics
// and whatever shows how the nodes do.
package figures

import (
	"encoding/json"
	"time"
)

// Now is what was found at one moment.
type Now struct {
	Time time.Time `json:"time"`
	// Every is how long the next question is away at most; what is older than some
	// of that is no longer so.
	Every     time.Duration `json:"every"`
	Envoys    int           `json:"envoys"` // of which these are the figures
	Envoy     Envoy         `json:"envoy"`
	Listeners []Listener    `json:"listeners"`
	Pools     []Pool        `json:"pools"`
}

// Envoy is the process; of several, their sums and the shortest uptime. Memory is in
// bytes.
type Envoy struct {
	Uptime    time.Duration `json:"uptime"`
	Workers   int           `json:"workers"`
	Allocated float64       `json:"allocated"` // by what lives
	Heap      float64       `json:"heap"`      // taken from the system
	Physical  float64       `json:"physical"`
	Draining  bool          `json:"draining"`
}

// Listener is where clients arrive; those that share an address go by the name of
// the first.
type Listener struct {
	Name        string `json:"name"`
	Active      int    `json:"active"`      // requests that clients wait for
	Connections int    `json:"connections"` // that clients keep
}

// Pool is a pool of the file.
type Pool struct {
	Name string `json:"name"`
	Flow
	Total    int    `json:"total"`   // nodes that Envoy has
	Healthy  int    `json:"healthy"` // of these, those that it would choose
	Pending  int    `json:"pending"` // requests that wait for a connection
	Breaking bool   `json:"breaking"`
	Nodes    []Node `json:"nodes"` // in the file's order
}

// Node is a node of the file.
type Node struct {
	Name string `json:"name"`
	Flow
	Health Health    `json:"health"`
	Reason string    `json:"reason,omitempty"` // of that, in words
	Seen   time.Time `json:"seen,omitzero"`    // when it was last healthy
	Weight float64   `json:"weight"`           // as Envoy has it
}

// Flow is what goes through a pool or a node. Rates are over the last second, or
// the last question where that is longer ago.
type Flow struct {
	Requests    Outcomes `json:"requests"`     // since Envoy was first started
	Rate        Outcomes `json:"rate"`         // a second
	Failures    float64  `json:"failures"`     // answers from 500 on, since then
	FailureRate float64  `json:"failure_rate"` // a second
	Active      int      `json:"active"`       // in flight
	Connections int      `json:"connections"`  // open
	P50         float64  `json:"p50_ms"`       // of the last ten seconds, until the end of the answer; 0 without requests
	P99         float64  `json:"p99_ms"`
}

// Outcome is what became of a request and its session, see the access log.
type Outcome int

// The outcomes.
const (
	Sticky   Outcome = iota // went to its node
	Fresh                   // had none: new
	Failover                // moved: its node could not serve
	Drained                 // moved: its node is disabled
	Unknown                 // names a node that the pool has not
	Hash                    // was placed by a hash
	None                    // belongs to no session
	Unserved                // no node served it
	outcomes                // how many there are
)

var outcomeNames = [outcomes]string{"sticky", "new", "failover", "drained", "unknown-route", "hash", "none", "unserved"}

// String is the outcome as the access log has it.
func (o Outcome) String() string { return outcomeNames[o] }

// AllOutcomes are the words for them.
func AllOutcomes() []string { return outcomeNames[:] }

// Outcomes is a figure for each outcome.
type Outcomes [outcomes]float64

// Sum is that of all.
func (o Outcomes) Sum() (total float64) {
	for _, n := range o {
		total += n
	}
	return total
}

// MarshalJSON names the outcomes that there were.
func (o Outcomes) MarshalJSON() ([]byte, error) {
	all := map[string]float64{}
	for i, n := range o {
		if n != 0 {
			all[outcomeNames[i]] = n
		}
	}
	return json.Marshal(all)
}

func outcomeOf(word string) (Outcome, bool) {
	for i, name := range outcomeNames {
		if name == word {
			return Outcome(i), true
		}
	}
	return 0, false
}

// Of finds a node; nil where there is none.
func (n *Now) Of(pool, node string) *Node {
	if n == nil {
		return nil
	}
	for i := range n.Pools {
		if n.Pools[i].Name != pool {
			continue
		}
		for j := range n.Pools[i].Nodes {
			if n.Pools[i].Nodes[j].Name == node {
				return &n.Pools[i].Nodes[j]
			}
		}
	}
	return nil
}
