package console

import (
	"encoding/json"
	"math"
	"net/http"
	"strconv"
	"time"

	"usher/cmd/usher/figures"
)

// plots is what the page draws: for each pool a list for each line, with a place for
// each time. A pool that was not there yet has nulls.
type plots struct {
	Outcomes []string            `json:"outcomes"`
	Times    []int64             `json:"times"` // seconds since 1970
	Pools    map[string]*drawing `json:"pools"`
}

// drawing is what is drawn of a pool.
type drawing struct {
	Rate     [][]*figure `json:"rate"` // a second, by outcome
	Failures []*figure   `json:"failures"`
	P99      []*figure   `json:"p99"` // ms
}

// figure is a number, written with three digits: a plot has no more.
type figure float32

// MarshalJSON writes the number.
func (f figure) MarshalJSON() ([]byte, error) {
	n := float64(f)
	if n != 0 && !math.IsInf(n, 0) && !math.IsNaN(n) {
		scale := math.Pow(10, 2-math.Floor(math.Log10(math.Abs(n))))
		n = math.Round(n*scale) / scale
	}
	return json.Marshal(n)
}

// hour answers with what was since a moment, at most an hour ago.
func (c *Console) hour(w http.ResponseWriter, r *http.Request) {
	since, _ := strconv.ParseInt(r.FormValue("since"), 10, 64) // else all of it
	p := plots{Outcomes: figures.AllOutcomes(), Times: []int64{}, Pools: map[string]*drawing{}}
	if c.Figures != nil {
		p.draw(c.Figures.Hour(), time.Unix(since, 0))
	}
	text, err := json.Marshal(p)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	poll(w, r, "application/json", text)
}

func (p *plots) draw(all []figures.Sample, since time.Time) {
	for _, s := range all {
		if s.Time.Unix() > since.Unix() {
			p.Times = append(p.Times, s.Time.Unix())
		} else {
			all = all[1:]
		}
	}
	for i, s := range all {
		for _, point := range s.Pools {
			d := p.Pools[point.Name]
			if d == nil {
				d = newDrawing(len(p.Outcomes), len(all))
				p.Pools[point.Name] = d
			}
			d.set(i, point.Point)
		}
	}
}

func newDrawing(outcomes, times int) *drawing {
	d := &drawing{Rate: make([][]*figure, outcomes), Failures: make([]*figure, times), P99: make([]*figure, times)}
	for i := range d.Rate {
		d.Rate[i] = make([]*figure, times)
	}
	return d
}

func (d *drawing) set(at int, p figures.Point) {
	for i, n := range p.Rate {
		d.Rate[i][at] = of(n)
	}
	d.Failures[at], d.P99[at] = of(p.Failures), of(p.P99)
}

func of(n float32) *figure { f := figure(n); return &f }
