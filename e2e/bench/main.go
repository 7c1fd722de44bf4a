package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"time"
)

// options are those of the command line.
type options struct {
	usher, envoy, out string
	rounds            int
	warm, window      time.Duration
	cases, balancers  string
}

func main() {
	var o options
	flag.StringVar(&o.usher, "usher", "bin/usher", "the program `FILE`")
	flag.StringVar(&o.envoy, "envoy", ".tools/envoy", "the Envoy `FILE`")
	flag.StringVar(&o.out, "out", "dist/bench", "`FOLDER` for bench.md and bench.json")
	flag.IntVar(&o.rounds, "rounds", 5, "how often each balancer does each case")
	flag.DurationVar(&o.warm, "warm", 500*time.Millisecond, "time before what is measured")
	flag.DurationVar(&o.window, "window", time.Second, "time that is measured")
	flag.StringVar(&o.cases, "cases", "", "names of cases, parted by commas (default all)")
	flag.StringVar(&o.balancers, "balancers", "", "names of balancers, parted by commas (default all that are installed)")
	flag.Parse()
	if err := o.run(); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func (o options) run() error {
	balancer, load, err := cores()
	if err != nil {
		return err
	}
	if err := pin(balancer, load); err != nil {
		return fmt.Errorf("use core %d for the load: %w", load, err)
	}
	debug.SetGCPercent(1000) // the load is to be cheap, not small
	dir, err := os.MkdirTemp("", "usher-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)                      //nolint:errcheck // a temporary folder
	if err := os.Chmod(dir, 0o755); err != nil { //nolint:gosec // the workers of httpd and nginx are other users
		return err
	}
	cert, err := writeCertificates(dir)
	if err != nil {
		return fmt.Errorf("make certificates: %w", err)
	}
	b := bench{warm: o.warm, window: o.window, balancer: balancer, load: load}
	for _, name := range []string{"isNode1", "isNode2"} {
		n, err := startNode(name, cert)
		if err != nil {
			return err
		}
		b.nodes = append(b.nodes, n)
	}
	return o.with(b, dir)
}

// with starts the balancers, and stops them at the end.
func (o options) with(b bench, dir string) error {
	usher, err := filepath.Abs(o.usher)
	if err != nil {
		return err
	}
	envoy, err := filepath.Abs(o.envoy)
	if err != nil {
		return err
	}
	rep := &report{bench: b, rounds: o.rounds, results: map[string]map[string][]sample{}}
	for _, c := range contestants(usher, envoy) {
		if !chosen(o.balancers, c.Name) {
			continue
		}
		r, err := c.start(dir, b.nodes, b.balancer, b.load)
		if errors.Is(err, os.ErrNotExist) {
			rep.absent = append(rep.absent, c.Name)
			continue
		}
		if err != nil {
			return err
		}
		defer r.stop()
		rep.balancers = append(rep.balancers, r)
	}
	if err := o.rounded(b, rep); err != nil {
		return err
	}
	return rep.write(o.out)
}

// rounded has each balancer do each case once a round, each round in another order.
func (o options) rounded(b bench, rep *report) error {
	for _, c := range cases {
		if chosen(o.cases, c.Name) {
			rep.cases = append(rep.cases, c)
			rep.results[c.Name] = map[string][]sample{}
		}
	}
	for round := range o.rounds {
		for _, c := range rep.cases {
			for i := range rep.balancers {
				r := rep.balancers[(i+round)%len(rep.balancers)]
				s, err := b.measure(r, c)
				if err != nil {
					return err
				}
				rep.results[c.Name][r.Name] = append(rep.results[c.Name][r.Name], s)
				fmt.Fprintf(os.Stderr, "round %d of %d  %-16s %-11s %7.1f µs %9.0f /s\n", round+1, o.rounds, c.Name, r.Name, s.CPU, s.Rate)
			}
		}
	}
	return nil
}

func chosen(list, name string) bool {
	return list == "" || slices.Contains(strings.Split(list, ","), name)
}
