package main

import (
	"fmt"
	"time"
)

// sample is what one balancer has done in one round of a case.
type sample struct {
	CPU     float64 `json:"cpu_us"`     // of the balancer's processes, µs a request
	Rate    float64 `json:"per_second"` // answers
	P50     float64 `json:"p50_us"`     // µs
	P99     float64 `json:"p99_us"`     // µs
	Core    float64 `json:"core"`       // the share of the balancer's core that it took
	Foreign float64 `json:"foreign"`    // the share of it that others took
	Stolen  float64 `json:"stolen"`     // the share of both cores that the hypervisor took
	Answers int64   `json:"answers"`
}

// bench is how a run is done.
type bench struct {
	warm, window   time.Duration
	balancer, load int // cores
	nodes          []node
}

// state is all that is read at the beginning and at the end of what is measured.
type state struct {
	at             time.Time
	cpu            time.Duration
	answers        int64
	balancer, load core
}

func (b bench) look(w *work, pids []int) (s state, err error) {
	if s.balancer, err = coreTimes(b.balancer); err != nil {
		return s, err
	}
	if s.load, err = coreTimes(b.load); err != nil {
		return s, err
	}
	s.cpu, err = spent(pids)
	s.answers, s.at = w.count.Load(), time.Now()
	return s, err
}

// measure has a balancer do the work of a case.
func (b bench) measure(r *running, c benchCase) (sample, error) {
	pids, err := tree(r.cmd.Process.Pid)
	if err != nil {
		return sample{}, err
	}
	w := &work{port: r.port(c.kind), nodes: b.nodes}
	wait := w.start(c.clients, c.by)
	from, to, err := b.watch(w, pids)
	w.over.Store(true)
	wait()
	if err == nil {
		err = w.failed
	}
	if err == nil && to.answers == from.answers {
		err = fmt.Errorf("no answer in %v", b.window)
	}
	if err != nil {
		return sample{}, fmt.Errorf("%s, %s: %w\n%s", r.Name, c.Name, err, r.said)
	}
	return b.between(w, from, to), nil
}

func (b bench) watch(w *work, pids []int) (from, to state, err error) {
	time.Sleep(b.warm)
	w.timed.Store(true)
	if from, err = b.look(w, pids); err != nil {
		return from, to, err
	}
	time.Sleep(b.window)
	to, err = b.look(w, pids)
	w.timed.Store(false)
	return from, to, err
}

func (b bench) between(w *work, from, to state) sample {
	n := to.answers - from.answers
	cpu, span := to.cpu-from.cpu, to.at.Sub(from.at)
	p50, p99 := w.quantiles()
	ticks := to.balancer.all - from.balancer.all
	own := cpu.Seconds() / span.Seconds()
	s := sample{
		CPU: us(cpu) / float64(n), Rate: float64(n) / span.Seconds(), P50: us(p50), P99: us(p99), Core: own, Answers: n,
		Stolen: (to.balancer.stolen - from.balancer.stolen + to.load.stolen - from.load.stolen) / max(1, ticks+to.load.all-from.load.all),
	}
	if b.balancer != b.load {
		s.Foreign = max(0, (to.balancer.busy-from.balancer.busy)/max(1, ticks)-own)
	}
	return s
}

func us(d time.Duration) float64 { return float64(d.Nanoseconds()) / 1e3 }
