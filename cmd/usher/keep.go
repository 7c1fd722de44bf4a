package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"maps"
	"net/netip"
	"os"
	"time"

	"usher/model"
)

// keepAgain is when a full disk is tried again.
const keepAgain = 10 * time.Second

// accept remembers what every Envoy has accepted, on disk as well: a restart
// with a broken file, or with names that do not resolve, serves it.
func (l *loop) accept(now time.Time) {
	if l.accepted == nil || !l.accepted.at.Equal(l.now.at) {
		l.accepted = new(l.now)
	}
	if !l.saved.IsZero() {
		l.log.Info("cluster.yaml is live", "took", now.Sub(l.saved).Round(time.Millisecond))
		l.counts.Live(now.Sub(l.saved))
		l.saved = time.Time{}
	}
	if now.Before(l.keepDue) {
		return
	}
	l.keepDue = time.Time{}
	if err := errors.Join(l.keepFile(), l.keepAddresses()); err != nil {
		l.log.Error("what was accepted could not be kept; a restart with a faulty cluster.yaml, or with names that do not resolve, would serve something older", "error", err)
		l.keepDue = now.Add(keepAgain)
	}
}

func (l *loop) keepFile() error {
	if bytes.Equal(l.kept, l.now.data) {
		return nil
	}
	if err := writeFile(l.places.accepted(), l.now.data); err != nil {
		return err
	}
	l.kept = l.now.data
	return nil
}

func (l *loop) keepAddresses() error {
	known := ips(l.now.answers)
	if maps.Equal(known, l.resolver.last) {
		return nil
	}
	if err := writeAddresses(l.lastAddresses(), known); err != nil {
		return err
	}
	l.resolver.last = known
	return nil
}

// writeAddresses keeps where names pointed last: {"node1.example:9443": "10.0.0.1"}.
func writeAddresses(path string, known map[model.Address]netip.Addr) error {
	named := make(map[string]netip.Addr, len(known))
	for a, ip := range known {
		named[a.String()] = ip
	}
	data, err := json.MarshalIndent(named, "", "  ")
	if err != nil {
		return err
	}
	return writeFile(path, append(data, '\n'))
}

// readAddresses is what writeAddresses kept, as far as it can be read. Without
// it usher does as at its very first start, so that no fault in it is worth
// more than that.
func readAddresses(path string) map[model.Address]netip.Addr {
	known, named := map[model.Address]netip.Addr{}, map[string]netip.Addr{}
	data, err := os.ReadFile(path)
	if err != nil || json.Unmarshal(data, &named) != nil {
		return known
	}
	for name, ip := range named {
		if a, err := model.ParseAddress(name); err == nil && ip.IsValid() {
			known[a] = ip
		}
	}
	return known
}
