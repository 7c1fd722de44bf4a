package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// report is what a run has found.
type report struct {
	bench
	rounds    int
	balancers []*running
	absent    []string
	cases     []benchCase
	results   map[string]map[string][]sample // by case and balancer, one for each round
}

// From where on a machine is called too noisy to judge.
const (
	noisySpread  = 0.08 // of the lean Envoy's CPU a request, between its rounds
	noisyForeign = 0.10 // of the balancer's core, taken by others
	noisyStolen  = 0.02 // of both cores, taken by the hypervisor
)

// median, and how far the rounds are apart, as a share of it.
func median(all []sample, of func(sample) float64) (mid, spread float64) {
	var v []float64
	for _, s := range all {
		v = append(v, of(s))
	}
	slices.Sort(v)
	mid = v[len(v)/2]
	if len(v)%2 == 0 {
		mid = (mid + v[len(v)/2-1]) / 2
	}
	if mid > 0 {
		spread = (v[len(v)-1] - v[0]) / mid
	}
	return mid, spread
}

func cpu(s sample) float64 { return s.CPU }

// ratio is how much more CPU a request took than with the lean Envoy: the median of
// the rounds, each compared within itself. 0 where that was not measured.
func ratio(all, base []sample) float64 {
	var pairs []sample
	for i := range min(len(all), len(base)) {
		pairs = append(pairs, sample{CPU: all[i].CPU / base[i].CPU})
	}
	if len(pairs) == 0 {
		return 0
	}
	mid, _ := median(pairs, cpu)
	return mid
}

// noise says why a case can't be judged; nothing where it can.
func (r *report) noise(name string) (why []string) {
	if base := r.results[name][lean]; len(base) > 1 {
		if _, spread := median(base, cpu); spread > noisySpread {
			why = append(why, fmt.Sprintf("the rounds of %s are %.0f %% apart", lean, 100*spread))
		}
	}
	for _, b := range r.balancers {
		foreign, _ := median(r.results[name][b.Name], func(s sample) float64 { return s.Foreign })
		stolen, _ := median(r.results[name][b.Name], func(s sample) float64 { return s.Stolen })
		if foreign > noisyForeign {
			why = append(why, fmt.Sprintf("others took %.0f %% of the core of %s", 100*foreign, b.Name))
		}
		if stolen > noisyStolen {
			why = append(why, fmt.Sprintf("the hypervisor took %.0f %% while %s worked", 100*stolen, b.Name))
		}
	}
	return why
}

// markdown is the report as people read it.
func (r *report) markdown() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s, %d cores, Linux %s, %s. %d rounds of %v after %v each. CPU is that of all processes of the balancer, "+
		"the median of the rounds, ± half of what lies between the least and the most; × is the ratio to %s, the median of the rounds.\n\n",
		runtime.GOARCH, coreCount(), kernel(), runtime.Version(), r.rounds, r.window, r.warm, lean)
	for _, x := range r.balancers {
		fmt.Fprintf(&b, "- %s: %s; %s\n", x.Name, x.what, x.Version)
	}
	if len(r.absent) > 0 {
		fmt.Fprintf(&b, "- not installed: %s\n", strings.Join(r.absent, ", "))
	}
	for _, c := range r.cases {
		r.table(&b, c)
	}
	return b.String()
}

func (r *report) table(b *strings.Builder, c benchCase) {
	fmt.Fprintf(b, "\n### %s\n\n%s.", c.Name, c.what)
	if why := r.noise(c.Name); len(why) > 0 {
		fmt.Fprintf(b, " **Too noisy to judge: %s.**", strings.Join(why, "; "))
	}
	fmt.Fprint(b, "\n\n| balancer | CPU, µs a request | × | answers a second | p50, µs | p99, µs | of its core |\n|---|---|---|---|---|---|---|\n")
	for _, x := range r.balancers {
		all := r.results[c.Name][x.Name]
		at := func(of func(sample) float64) float64 { m, _ := median(all, of); return m }
		mid, spread := median(all, cpu)
		times := ratio(all, r.results[c.Name][lean])
		fmt.Fprintf(b, "| %s | %.1f ± %.1f | %.2f | %.0f | %.0f | %.0f | %.0f %% |\n", x.Name, mid, mid*spread/2, times,
			at(func(s sample) float64 { return s.Rate }), at(func(s sample) float64 { return s.P50 }), at(func(s sample) float64 { return s.P99 }),
			100*at(func(s sample) float64 { return s.Core }))
	}
}

// data is the report as programs read it.
func (r *report) data() ([]byte, error) {
	versions := map[string]string{}
	for _, x := range r.balancers {
		versions[x.Name] = x.Version
	}
	noise := map[string][]string{}
	for _, c := range r.cases {
		if why := r.noise(c.Name); len(why) > 0 {
			noise[c.Name] = why
		}
	}
	return json.MarshalIndent(map[string]any{
		"at": time.Now().UTC().Format(time.RFC3339), "cores": coreCount(), "kernel": kernel(), "go": runtime.Version(),
		"rounds": r.rounds, "window": r.window.String(), "warm": r.warm.String(), "balancers": versions, "absent": r.absent,
		"too_noisy": noise, "results": r.results,
	}, "", "  ")
}

// write puts both into a folder, and the one for people on the standard output.
func (r *report) write(dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil { //nolint:gosec // nothing secret is in it
		return err
	}
	data, err := r.data()
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(dir, "bench.json"), append(data, '\n'), 0o644); err != nil {
		return err
	}
	fmt.Print(r.markdown())
	return os.WriteFile(filepath.Join(dir, "bench.md"), []byte(r.markdown()), 0o644)
}

func kernel() string {
	var u unix.Utsname
	if err := unix.Uname(&u); err != nil {
		return "unknown"
	}
	return unix.ByteSliceToString(u.Release[:])
}
