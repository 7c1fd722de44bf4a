package httpd

import (
	"strconv"
	"strings"

	"usher/model"
)

// setBalance takes lbmethod. By bytes, or by what nodes say of themselves, Envoy
// can't balance: a node that is busy with large answers, or with anything else,
// has more requests in flight.
func setBalance(p *pool, _ int, value string) (Verdict, string) {
	balance, verdict, note := model.RoundRobin, Carried, ""
	switch strings.ToLower(value) {
	case "byrequests":
	case "bybusyness":
		balance, verdict, note = model.LeastRequest, Approximated, "of two nodes, the one with fewer requests in flight"
	case "bytraffic":
		balance, verdict, note = model.LeastRequest, Approximated, "Envoy does not count bytes; nearest is least_request, by requests in flight"
	case "heartbeat":
		balance, verdict, note = model.LeastRequest, Approximated, "Envoy listens to no heartbeats; nearest is least_request, by requests in flight"
	default:
		verdict, note = Approximated, "not known; round_robin is usher's default"
	}
	if v, n := p.settle("balance", string(balance), func() { p.Balance = balance }); v != Carried {
		return v, n
	}
	return verdict, note
}

func setNoFailover(p *pool, _ int, value string) (Verdict, string) {
	if strings.EqualFold(value, "on") {
		p.OnFailure = model.Error
	}
	return Carried, ""
}

func setForceRecovery(p *pool, _ int, value string) (Verdict, string) {
	if strings.EqualFold(value, "off") {
		p.ForceRecovery = model.Off
	}
	return Carried, ""
}

func setAttempts(p *pool, _ int, value string) (Verdict, string) {
	n, ok := countOf(value, 20)
	if !ok {
		n = 20
	}
	v, note := p.settle("attempts", strconv.Itoa(int(n)), func() { p.Attempts = n })
	if !ok {
		return Approximated, "20 tries are the most"
	}
	return v, note
}

func setFailOnStatus(p *pool, _ int, value string) (Verdict, string) {
	verdict, note := Carried, ""
	for word := range strings.FieldsFuncSeq(value, func(r rune) bool { return r == ',' || r == ' ' }) {
		status, err := model.ParseStatusRange(word)
		if err != nil {
			verdict, note = NotCarried, word+" is no status of an answer"
			continue
		}
		p.FailOnStatus = append(p.FailOnStatus, status)
	}
	return verdict, note
}

func setFailOnTimeout(p *pool, _ int, value string) (Verdict, string) {
	if !strings.EqualFold(value, "on") {
		return Carried, ""
	}
	p.Health.Passive = 1
	return Approximated, "a request that times out takes its node out, and so does one that fails otherwise (health.passive)"
}
