package xds

import "strings"

// What Envoy's counters are called in Prometheus' format, and what finds them.
const (
	CounterFilter  = "^" + counterScope + `\.`
	RequestsFamily = "envoy_" + counterScope + "_" + requestCount
	FailuresFamily = "envoy_" + counterScope + "_" + failureCount
	LeaksFamily    = "envoy_" + counterScope + "_" + leakCount
	DurationFamily = "envoy_" + counterScope + "_" + durationName // ms
)

// Outcome is what became of a request and its session.
type Outcome struct {
	Pool     string
	Node     string // that served it
	Asked    string // the node that its session names, where there is or was such a one
	Outcome  string // sticky, failover or unserved for a known one, else as in the log
	Conflict bool   // several cookies of one name
}

// PoolOf is the pool of the file that a cluster of Envoy's belongs to.
func PoolOf(cluster string) string { return filePool(cluster) }

// OutcomeOf reads the tags of the counter of requests. Where no pool was asked,
// all is empty.
func OutcomeOf(seat, asked, node string) Outcome {
	parts := strings.Split(seat, "/")
	if len(parts) < 2 {
		return Outcome{}
	}
	if len(parts) > 2 {
		asked = parts[2]
	}
	if asked == "-" {
		asked = ""
	}
	if name, verdict, large := strings.Cut(asked, "/"); large { // no name has a slash
		asked, parts[1] = name, verdict
	}
	o := Outcome{Pool: parts[0], Node: node, Asked: asked, Outcome: parts[1], Conflict: parts[1] == outcomeConflict}
	switch {
	case node == "" || node == "-":
		o.Node, o.Outcome = "", "unserved"
	case o.Outcome != outcomeKnown && o.Outcome != outcomeConflict:
	case asked == node:
		o.Outcome = "sticky"
	default:
		o.Outcome = "failover"
	}
	return o
}
