package main

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"usher/cmd/usher/api"
	"usher/cmd/usher/status"
	"usher/model"
	"usher/xds"
)

// idleness is how long a drain waits for a node to be left alone.
type idleness struct {
	wait     bool
	idle     time.Duration
	deadline time.Duration
}

func (w *idleness) flags(cmd *cobra.Command) {
	cmd.Flags().DurationVar(&w.idle, "idle", time.Minute, "a node is idle when it has had no request for so long")
	cmd.Flags().DurationVar(&w.deadline, "deadline", 30*time.Minute, "give up after so long; the node goes on draining")
}

const (
	idleLook  = 500 * time.Millisecond // between two looks at the nodes
	idleSpeak = 10 * time.Second       // between two lines about them
)

// watched is a node that drains.
type watched struct {
	xds.NodeOf
	since time.Time // when it had a request last, as far as we saw
	now   status.Node
	known bool
}

// waitIdle waits until the nodes have nothing to do. It outlives restarts of usher,
// and may itself be started again: what counts is in the file.
func (c *change) waitIdle(cmd *cobra.Command, nodes []xds.NodeOf) error {
	began, spoke, seen := time.Now(), time.Time{}, false
	all := make([]*watched, len(nodes))
	for i, n := range nodes {
		all[i] = &watched{NodeOf: n, since: began}
	}
	for {
		err := c.look(cmd, all)
		switch {
		case err == nil:
			seen = true
		case !errors.Is(err, api.ErrNotRunning):
			return err
		case !seen:
			return c.asked(err) // who waits outlives a restart of usher, and does not wait for its first start
		}
		now, busy := time.Now(), 0
		for _, w := range all {
			if !w.known || now.Sub(w.since) < c.idle {
				busy++
			}
		}
		switch {
		case busy == 0:
			_, err := fmt.Fprintf(cmd.OutOrStdout(), "%s idle for %s: the work may start\n", nodeNames(all), c.idle)
			return err
		case now.Sub(began) >= c.deadline:
			return fmt.Errorf("still in use after %s: %s", c.deadline, words(all, now))
		case now.Sub(spoke) >= idleSpeak:
			spoke = now
			cmd.PrintErrln(progress(err, all, now))
		}
		select {
		case <-cmd.Context().Done():
			return fmt.Errorf("interrupted: %s still drains; `usher node enable` ends that", nodeNames(all))
		case <-time.After(idleLook):
		}
	}
}

// look asks usher what the nodes do. Where they no longer drain, somebody else has
// ended that.
func (c *change) look(cmd *cobra.Command, all []*watched) error {
	s, err := c.client().Status(cmd.Context())
	if err != nil {
		for _, w := range all {
			w.since = time.Now() // nobody knows
		}
		return err
	}
	for _, w := range all {
		n, ok := s.Node(w.NodeOf)
		switch {
		case !ok && len(s.Pools) == 0: // usher has just begun
			w.since, w.known = time.Now(), false
			continue
		case !ok:
			return fmt.Errorf("the file has no node %s any more", w.Node)
		case n.State != model.Drain && n.State != model.Disabled:
			return fmt.Errorf("%s is %s again: somebody else has ended its drain", w.Node, n.State)
		}
		w.now, w.known = n, n.Health != "" || n.State == model.Disabled
		if n.Active > 0 || n.Rate > 0 || !w.known {
			w.since = time.Now()
		}
	}
	return nil
}

func progress(err error, all []*watched, now time.Time) string {
	if err != nil {
		return "waiting: no usher answers"
	}
	return "waiting: " + words(all, now)
}

func words(all []*watched, now time.Time) string {
	var said []string
	for _, w := range all {
		switch {
		case !w.known:
			said = append(said, w.Node+" is not known to Envoy yet")
		case w.now.Active > 0 || w.now.Rate > 0:
			said = append(said, fmt.Sprintf("%s has %s in flight, %.1f a second", w.Node, count(w.now.Active, "request"), w.now.Rate))
		default:
			said = append(said, fmt.Sprintf("%s has had no request for %s", w.Node, now.Sub(w.since).Round(time.Second)))
		}
	}
	return strings.Join(said, "; ")
}

func nodeNames(all []*watched) string {
	var said []string
	for _, w := range all {
		said = append(said, w.Node)
	}
	return strings.Join(said, ", ")
}
