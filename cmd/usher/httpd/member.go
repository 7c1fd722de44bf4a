package httpd

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"usher/model"
)

// bounded puts a time into the range that model takes.
func bounded(d, least, most time.Duration) (model.Duration, Verdict, string) {
	if in := min(max(d, least), most); in != d {
		return model.Duration(in), Approximated, fmt.Sprintf("%s to %s will do", model.Duration(least), model.Duration(most))
	}
	return model.Duration(d), Carried, ""
}

// spanOf reads a time as httpd does (ap_timeout_parameter_parse): without a unit in
// seconds, else with ms, s, mi(n) or h.
func spanOf(text string) (time.Duration, bool) {
	digits := strings.TrimLeft(text, "0123456789")
	n, err := strconv.ParseUint(strings.TrimSuffix(text, digits), 10, 31)
	if err != nil {
		return 0, false
	}
	unit := time.Second
	switch {
	case digits == "", strings.HasPrefix(digits, "s"):
	case strings.HasPrefix(digits, "ms"):
		unit = time.Millisecond
	case strings.HasPrefix(digits, "mi"):
		unit = time.Minute
	case strings.HasPrefix(digits, "h"):
		unit = time.Hour
	default:
		return 0, false
	}
	return min(time.Duration(n), 1<<31) * unit, true
}

// setSpan gives the whole pool a time.
func (p *pool) setSpan(key, value string, into *model.Duration, least, most time.Duration) (Verdict, string) {
	d, ok := spanOf(value)
	if !ok {
		return NotCarried, fmt.Sprintf("%q is no time", value)
	}
	span, verdict, note := bounded(d, least, most)
	if v, n := p.settle(key, span.String(), func() { *into = span }); v != Carried {
		return v, n
	}
	return verdict, note
}

func setRetry(p *pool, _ int, value string) (Verdict, string) {
	if value == "0" {
		return Approximated, "a node that failed is asked again after its next good check, half a second later"
	}
	return p.setSpan("retry", value, &p.Retry, 100*time.Millisecond, 24*time.Hour)
}

func setTimeout(p *pool, _ int, value string) (Verdict, string) {
	v, note := p.setSpan("timeout", value, &p.Timeout, time.Second, 24*time.Hour)
	if v == Carried {
		return Approximated, "it bounds the whole answer, not the time between two parts of it"
	}
	return v, note
}

func setConnectTimeout(p *pool, _ int, value string) (Verdict, string) {
	return p.setSpan("connect_timeout", value, &p.ConnectTimeout, 10*time.Millisecond, time.Minute)
}

func setIdleTimeout(p *pool, _ int, value string) (Verdict, string) {
	return p.setSpan("idle_timeout", value, &p.IdleTimeout, 100*time.Millisecond, time.Hour)
}

// countOf reads a whole number.
func countOf(value string, most uint64) (model.Count, bool) {
	n, err := strconv.ParseUint(value, 10, 30)
	return model.Count(min(n, most)), err == nil && n <= most
}

func setMaxConnections(p *pool, _ int, value string) (Verdict, string) {
	n, ok := countOf(value, 1<<30)
	if !ok || n == 0 {
		return NotNeeded, "there is no limit"
	}
	if v, note := p.settle("max_connections", value, func() { p.MaxConnections = n }); v != Carried {
		return v, note
	}
	return Approximated, "it is for all of Envoy, where httpd counts for each of its processes"
}

// setReuse is for disablereuse and enablereuse, which say the same with opposite
// words.
func setReuse(off string) setter {
	return func(_ *pool, _ int, value string) (Verdict, string) {
		if !strings.EqualFold(value, off) {
			return NotNeeded, "connections are kept for the next request (idle_timeout)"
		}
		return NotCarried, "connections are kept for the next request: idle_timeout closes them, by default after 15s, and names are resolved again all the time"
	}
}

func setUpgrade(p *pool, _ int, value string) (Verdict, string) {
	switch strings.ToLower(value) {
	case "websocket":
		return Carried, ""
	case "any":
		return Approximated, "websocket alone: name others in upgrades of the routes"
	case "none":
		p.said["upgrades"] = "[]"
		return Carried, ""
	}
	if !isToken(value) {
		return NotCarried, "it is no name of a protocol"
	}
	p.said["upgrades"] = "[" + scalar(strings.ToLower(value)) + "]"
	return Carried, ""
}

func setMapping(_ *pool, _ int, value string) (Verdict, string) {
	if strings.EqualFold(value, "servlet") {
		return Carried, ""
	}
	return Approximated, "paths are freed of //, /./ and /../, and of %2F none is taken"
}

// isToken tells whether a text is a token of RFC 9110, 5.6.2, of a length that
// model takes.
func isToken(s string) bool {
	return s != "" && len(s) <= 128 && !strings.ContainsFunc(s, func(r rune) bool {
		return r <= ' ' || r >= 0x7f || strings.ContainsRune(`"(),/:;<=>?@[\]{}`, r)
	})
}

func setWeight(p *pool, node int, value string) (Verdict, string) {
	f, err := strconv.ParseFloat(value, 64)
	if err != nil || node < 0 || f != f {
		return NotCarried, fmt.Sprintf("%q is no weight of a node", value)
	}
	in := min(max(f, 0.01), 100)
	p.Nodes[node].Weight = model.Weight(in)
	switch {
	case in != f:
		return Approximated, "weights run from 0.01 to 100"
	case f < 1:
		return Carried, "httpd takes none below 1"
	}
	return Carried, ""
}

func setRank(p *pool, node int, value string) (Verdict, string) {
	n, ok := countOf(value, 99)
	if !ok || node < 0 {
		return NotCarried, "sets run from 0 to 99"
	}
	p.Nodes[node].Set = n
	return Carried, ""
}

func setRedirect(p *pool, node int, value string) (Verdict, string) {
	if node < 0 {
		return NotCarried, "it belongs to a member"
	}
	p.Nodes[node].Redirect = value // there may be no such node: see settleRedirects
	return Carried, ""
}

// setRoute is for a server without a balancer, whose sessions are all on it.
func setRoute(p *pool, node int, value string) (Verdict, string) {
	if node < 0 || len(p.Nodes) != 1 || nameOf(value, "") != value {
		return NotNeeded, "there is one server"
	}
	p.Nodes[node].Name = value
	return Carried, ""
}
