package main

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

// work is what a case asks of a balancer: it goes on until over says so, and reports
// how long each answer took.
type work struct {
	port  int
	nodes []node
	over  atomic.Bool
	timed atomic.Bool // what ends now belongs to the time that is measured

	mu     sync.Mutex
	took   []time.Duration
	failed error // the first
	count  atomic.Int64
}

// drive is how one of so many clients asks.
type drive func(w *work, client int) error

// start lets clients ask; what it returns waits for their end.
func (w *work) start(clients int, by drive) (wait func()) {
	var all sync.WaitGroup
	for i := range clients {
		all.Go(func() {
			if err := by(w, i); err != nil {
				w.fail(err)
			}
		})
	}
	return all.Wait
}

// fail ends the work: a figure with failures in it is none.
func (w *work) fail(err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.failed = errors.Join(w.failed, err)
	w.over.Store(true)
}

// times are those of one client.
type times struct {
	w    *work
	took []time.Duration
}

func (t *times) add(d time.Duration) {
	t.w.count.Add(1)
	if t.w.timed.Load() {
		t.took = append(t.took, d)
	}
}

func (t *times) end() {
	t.w.mu.Lock()
	defer t.w.mu.Unlock()
	t.w.took = append(t.w.took, t.took...)
}

// quantile of what was timed, 0 where nothing was.
func quantile(sorted []time.Duration, q float64) time.Duration {
	if len(sorted) == 0 {
		return 0
	}
	return sorted[min(int(q*float64(len(sorted))), len(sorted)-1)]
}

func (w *work) quantiles() (p50, p99 time.Duration) {
	slices.Sort(w.took)
	return quantile(w.took, 0.5), quantile(w.took, 0.99)
}

// keepAlive asks by HTTP/1.1, one request after the other.
func keepAlive(path string, size int) drive {
	return func(w *work, client int) error {
		c, err := dialH1(w.port, path, size, sessionOf(client, w.nodes))
		if err != nil {
			return err
		}
		defer c.close()
		t := &times{w: w}
		defer t.end()
		for !w.over.Load() {
			began := time.Now()
			if err := c.get(); err != nil {
				return err
			}
			t.add(time.Since(began))
		}
		return nil
	}
}

// streams asks by HTTP/2, so many requests at a time on each connection.
func streams(atOnce int) drive {
	return func(w *work, client int) error {
		c, err := dialH2(w.port, smallPath, smallBody, sessionOf(client, w.nodes))
		if err != nil {
			return err
		}
		defer c.close()
		t := &times{w: w}
		defer t.end()
		for range atOnce {
			if err := c.ask(); err != nil {
				return err
			}
		}
		for !w.over.Load() {
			d, err := c.wait()
			if err != nil {
				return err
			}
			t.add(d)
			if err := c.ask(); err != nil {
				return err
			}
		}
		return nil
	}
}

// handshakes asks once on each connection.
func handshakes(w *work, client int) error {
	t := &times{w: w}
	defer t.end()
	for !w.over.Load() {
		began := time.Now()
		c, err := dialH1(w.port, smallPath, smallBody, sessionOf(client, w.nodes))
		if err != nil {
			return err
		}
		err = c.get()
		c.close()
		if err != nil {
			return err
		}
		t.add(time.Since(began))
	}
	return nil
}

// paced asks at a rate of all clients together, whatever the answers take: the time
// of an answer begins when its request was due.
func paced(clients, rate int) drive {
	return func(w *work, client int) error {
		c, err := dialH1(w.port, smallPath, smallBody, sessionOf(client, w.nodes))
		if err != nil {
			return err
		}
		defer c.close()
		every := time.Duration(clients) * time.Second / time.Duration(rate)
		due := time.Now().Add(every * time.Duration(client) / time.Duration(clients))
		clock, err := tick(due, every)
		if err != nil {
			return err
		}
		defer clock.Close() //nolint:errcheck // only read from
		t := &times{w: w}
		defer t.end()
		for missed := make([]byte, 8); !w.over.Load(); {
			if _, err := clock.Read(missed); err != nil {
				return err
			}
			for range max(1, int(missed[0])) { // all that fell due while the last one was waited for
				if err := c.get(); err != nil {
					return err
				}
				t.add(time.Since(due))
				due = due.Add(every)
			}
		}
		return nil
	}
}

// tick can be read whenever a request is due. Go's own timers are late by up to a
// millisecond, which is more than an answer takes.
func tick(first time.Time, every time.Duration) (*os.File, error) {
	fd, err := unix.TimerfdCreate(unix.CLOCK_MONOTONIC, unix.TFD_NONBLOCK|unix.TFD_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("make a clock: %w", err)
	}
	at := &unix.ItimerSpec{
		Interval: unix.NsecToTimespec(int64(every)),
		Value:    unix.NsecToTimespec(max(1, int64(time.Until(first)))),
	}
	if err := unix.TimerfdSettime(fd, 0, at, nil); err != nil {
		return nil, fmt.Errorf("set a clock: %w", err)
	}
	return os.NewFile(uintptr(fd), "clock"), nil
}
