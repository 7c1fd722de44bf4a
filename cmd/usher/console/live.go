package console

import (
	"net/http"
	"time"

	"usher/cmd/usher/figures"
	"usher/cmd/usher/login"
	"usher/cmd/usher/status"
	"usher/model"
	"usher/xds"
)

// live is the part of the page that is asked for every two seconds.
type live struct {
	Overall      overall
	Operator     bool // sees the controls
	Facts        []fact
	Problems     model.Problems
	Refusal      *xds.Refusal
	Warnings     []string
	Filter       filter
	Pools        []pool
	Certificates []certificate
	Envoys       []envoy
	Supervised   *status.Supervised
}

// fact is one of the figures at the top.
type fact struct {
	Name, Value, More string
	Mood              mood
}

// live answers with the part of the page that changes.
func (c *Console) live(w http.ResponseWriter, r *http.Request) {
	s, seen := c.Status(), c.latest()
	who := audienceOf(r)
	text := c.shared.page(momentOf(s, seen, c.Now()), who, func() []byte { return render("live", viewOf(s, seen, c.Now(), who)) })
	poll(w, r, "text/html; charset=utf-8", text)
}

func audienceOf(r *http.Request) audience {
	user, _ := login.From(r.Context())
	return audience{user.Role.May(login.Operator), r.FormValue("filter")}
}

// viewOf is what is known now, for whoever asks.
func viewOf(s *status.Status, seen *figures.Now, now time.Time, who audience) live {
	v := live{Operator: who.operator, Supervised: s.Supervised, Filter: filter{Text: who.filter}}
	v.Overall = overallOf(s, now)
	v.Problems, v.Refusal, v.Warnings = s.Problems, s.Refusal, s.Warnings
	v.Pools = v.Filter.pools(poolsOf(s, seen))
	v.Certificates = certificatesOf(s, now)
	v.Envoys = envoysOf(s, now)
	v.Facts = facts(v, s, seen)
	return v
}

// facts are what one looks at first.
func facts(v live, s *status.Status, seen *figures.Now) []fact {
	return append(flowFacts(seen), nodesFact(v.Filter, s), envoysFact(v.Envoys), certificatesFact(v.Certificates))
}

func flowFacts(seen *figures.Now) []fact {
	if seen == nil {
		const none = "no Envoy here tells"
		return []fact{{"Requests", "–", none, dull}, {"5xx", "–", none, dull}}
	}
	var sum, failed, active float64
	for _, p := range seen.Pools {
		sum, failed, active = sum+p.Rate.Sum(), failed+p.FailureRate, active+float64(p.Active)
	}
	mood := good
	if failed > 0 {
		mood = warn
	}
	return []fact{
		{"Requests", rate(sum) + "/s", count(active) + " in flight", good},
		{"5xx", rate(failed) + "/s", "answers from 500 on", mood},
	}
}

func nodesFact(f filter, s *status.Status) fact {
	switch {
	case f.Unknown == f.Total:
		return fact{"Nodes", count(float64(f.Total)), many(len(s.Pools), "pool"), dull}
	case f.Down > 0:
		return fact{"Nodes", count(float64(f.Up)) + " of " + count(float64(f.Total)), many(f.Down, "node") + " can't serve", bad}
	}
	return fact{"Nodes", count(float64(f.Total)), "none out of service", good}
}

func envoysFact(all []envoy) fact {
	accepted := 0
	for _, e := range all {
		if e.Mood == good {
			accepted++
		}
	}
	if accepted == len(all) && len(all) > 0 {
		return fact{"Envoys", count(float64(len(all))), "accepted everything", good}
	}
	return fact{"Envoys", count(float64(accepted)) + " of " + count(float64(len(all))), "accepted everything", warn}
}

func certificatesFact(all []certificate) fact {
	if len(all) == 0 {
		return fact{"Certificates", "0", "no listener has TLS", dull}
	}
	soonest := all[0]
	for _, c := range all[1:] {
		if c.Days < soonest.Days {
			soonest = c
		}
	}
	return fact{"Certificates", many(soonest.Days, "day"), "until " + soonest.Name + " expires", soonest.Mood}
}
