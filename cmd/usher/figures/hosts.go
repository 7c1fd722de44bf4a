package figures

import (
	"strconv"
	"strings"

	"usher/xds"
)

// hostKey is a host as Envoy knows it.
type hostKey struct{ cluster, address string }

// host is a line of /clusters' figures, of those that are used.
type host struct {
	flags                                string
	weight                               float64
	active, connections                  float64
	attempts, connected, connectFailures float64
	first                                int // its place among all
}

// parseHosts reads /clusters as text: as JSON it is 1.9 times as long, and takes
// Envoy several times as long to write.
func parseHosts(text string) map[hostKey]*host {
	all := map[hostKey]*host{}
	var last hostKey
	var h *host
	for line := range strings.Lines(text) {
		key, name, value, ok := cutHost(strings.TrimSuffix(line, "\n"))
		if !ok {
			continue
		}
		if h == nil || key != last {
			if h = all[key]; h == nil {
				h = &host{first: len(all)}
				all[key] = h
			}
			last = key
		}
		h.set(name, value)
	}
	return all
}

// cutHost cuts CLUSTER::ADDRESS::NAME::VALUE, where the address may be [IPv6]:PORT.
// Lines of a cluster as a whole have no address.
func cutHost(line string) (key hostKey, name, value string, ok bool) {
	cluster, rest, ok := strings.Cut(line, "::")
	if !ok {
		return key, "", "", false
	}
	end := 0
	if strings.HasPrefix(rest, "[") {
		end = strings.Index(rest, "]") + 1
	}
	length := strings.Index(rest[end:], "::")
	if length < 0 {
		return key, "", "", false
	}
	address, rest := rest[:end+length], rest[end+length+2:]
	if !strings.Contains(address, ":") {
		return key, "", "", false
	}
	name, value, ok = strings.Cut(rest, "::")
	return hostKey{cluster, address}, name, value, ok
}

func (h *host) set(name, value string) {
	var into *float64
	switch name {
	case "health_flags":
		h.flags = strings.Clone(value)
		return
	case "weight":
		into = &h.weight
	case "rq_active":
		into = &h.active
	case "cx_active":
		into = &h.connections
	case "rq_total":
		into = &h.attempts
	case "cx_total":
		into = &h.connected
	case "cx_connect_fail":
		into = &h.connectFailures
	default:
		return
	}
	if n, err := strconv.ParseFloat(value, 64); err == nil {
		*into = n
	}
}

// counts are those of a host that only grow.
func (h *host) counts(key hostKey, node string, add func(series, float64)) {
	pool := xds.PoolOf(key.cluster)
	for what, n := range map[What]float64{Attempts: h.attempts, Connected: h.connected, ConnectFailures: h.connectFailures} {
		add(series{Series{what, pool, node, ""}, key.cluster + "/" + key.address}, n)
	}
}
