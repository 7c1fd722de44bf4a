package figures

import (
	"strings"

	"usher/model"
)

// Health is how a node stands with Envoy.
type Health string

// The words for it.
const (
	Healthy  Health = "healthy"
	Draining Health = "draining" // healthy, and the file or the node itself wants it to be left
	Pending  Health = "pending"  // not checked yet
	Failing  Health = "failing"  // by its check
	Ejected  Health = "ejected"  // by what became of requests
	Leaving  Health = "leaving"  // no longer in the file, requests are still in flight
	Disabled Health = "disabled" // Envoy has not got it, as the file wants
	Absent   Health = "absent"   // Envoy has not got it, and should
)

// Up tells whether requests reach the node, those of its sessions at least.
func (h Health) Up() bool { return h == Healthy || h == Draining }

// flagWords are Envoy's health flags (HostUtility::healthFlagsToString) in the order
// in which they count. A new node has failed its check, and pending besides, until
// the first is over.
var flagWords = []struct {
	flag   string
	health Health
	reason string
}{
	{"/pending_dynamic_removal", Leaving, "no longer in the file, its last requests go on"},
	{"/pending_active_hc", Pending, "its first check is not over"},
	{"/active_hc_timeout", Failing, "its check got no answer in time"},
	{"/failed_active_hc", Failing, "its check fails: no connection, or another answer than it should give"},
	{"/excluded_via_immediate_hc_fail", Failing, "it asked to be left out, in the answer to its check"},
	{"/failed_outlier_check", Ejected, "taken out after failed requests (health.passive, fail_on_status)"},
	{"/failed_eds_health", Failing, "usher has told Envoy that it does not serve"},
}

// badness says which of two Envoys' flags of a node to tell.
func badness(flags string) int {
	for i, w := range flagWords {
		if strings.Contains(flags, w.flag) {
			return len(flagWords) - i
		}
	}
	return 0
}

// healthOf reads Envoy's flags.
func healthOf(flags string) (Health, string) {
	for _, w := range flagWords {
		if strings.Contains(flags, w.flag) {
			return w.health, w.reason
		}
	}
	return Healthy, ""
}

// judge says how a node stands that Envoy has with these flags, or has not.
func judge(n layoutNode, flags string, has bool) (Health, string) {
	switch {
	case !has && n.state == model.Disabled:
		return Disabled, "the file says so"
	case !has && n.fault != "":
		return Absent, n.fault
	case !has:
		return Absent, "Envoy has not got it yet"
	}
	health, reason := healthOf(flags)
	switch {
	case health != Healthy:
	case n.asks == model.Drain:
		return Draining, "it asks for that itself: its sessions stay, nobody new comes"
	case n.state == model.Drain:
		return Draining, "its sessions stay, nobody new comes"
	}
	return health, reason
}
