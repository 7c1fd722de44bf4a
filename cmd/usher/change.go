package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/user"
	"time"

	"github.com/spf13/cobra"

	"usher/cmd/usher/desk"
	"usher/envoy"
	"usher/model"
	"usher/xds/pki"
)

// change is a verb that changes the cluster file.
type change struct {
	places
	named  string // the file as it was typed
	pool   string
	envoy  string
	dryRun bool
	noWait bool
	idleness
}

func (c *change) flags(cmd *cobra.Command) {
	c.ownFlags(cmd)
	cmd.Flags().StringVar(&c.pool, "pool", "", "the pool; needed where several have a node of that name")
}

func (c *change) ownFlags(cmd *cobra.Command) {
	c.places.flags(cmd)
	envoyFlag(cmd, &c.envoy)
	cmd.Flags().BoolVar(&c.dryRun, "dry-run", false, "say what would change, and change nothing")
	cmd.Flags().BoolVar(&c.noWait, "no-wait", false, "do not wait until the change is live")
}

// checker judges a text as the cluster file. Without an Envoy it does without its
// word.
func checker(named string, p places, binary string) desk.Check {
	return func(ctx context.Context, text []byte) (*model.Cluster, model.Problems) {
		l, problems := load(named, text, pki.Store{Dir: p.state, ReadOnly: true}, time.Now())
		if len(problems) > 0 {
			return l.cluster, problems
		}
		found, err := envoy.Find(binary)
		if err != nil {
			return l.cluster, nil
		}
		all := publication{loaded: l} // where names point now is nothing that Envoy could refuse
		all.translate()
		if err := envoy.Validate(ctx, found, all.resources.Static()); err != nil {
			return l.cluster, asProblems(named, refusedAt(l.cluster, err))
		}
		return l.cluster, nil
	}
}

// run makes edits of the file as it is now, shows, saves and waits.
func (c *change) run(cmd *cobra.Command, edits func(*model.Cluster) ([]model.Edit, error)) error {
	at, err := c.office(cmd.Context())
	if err != nil {
		return err
	}
	data, err := readConfig(c.named)
	if err != nil {
		return err
	}
	in, problems := model.Parse(c.named, data)
	if in == nil {
		return problems
	}
	all, err := edits(in)
	if err != nil {
		return err
	}
	after, err := model.Apply(c.named, data, all...)
	if err != nil {
		return err
	}
	p, err := at.propose(cmd.Context(), desk.Hash(data), after)
	if err != nil {
		return err
	}
	return c.carryOut(cmd, p)
}

// carryOut shows a change, saves it and waits.
func (c *change) carryOut(cmd *cobra.Command, p proposal) error {
	out := cmd.OutOrStdout()
	if p.Before.Hash == p.After.Hash {
		_, err := fmt.Fprintln(out, "nothing to change: the file says so already")
		return err
	}
	if err := printPreview(out, p.Diff, p.Preview); err != nil {
		return err
	}
	if len(p.Problems) > 0 {
		cmd.PrintErrln("nothing is saved: the file would have faults")
		return p.Problems
	}
	if c.dryRun {
		_, err := fmt.Fprintln(out, "nothing is saved: --dry-run")
		return err
	}
	began := time.Now()
	e, err := p.save(cmd.Context())
	if err != nil {
		return err
	}
	if _, err := fmt.Fprintf(out, "saved as change %s; `usher history undo %s` takes it back\n", e.ID, e.ID); err != nil || c.noWait {
		return err
	}
	return c.await(cmd, p.After.Hash, began)
}

// printPreview writes what a change is and does, below its difference.
func printPreview(w io.Writer, diff string, p desk.Preview) error {
	text := diff
	for _, line := range p.Changes {
		text += line + "\n"
	}
	for _, line := range p.Effects {
		text += "=> " + line + "\n"
	}
	_, err := io.WriteString(w, text)
	return err
}

// operator is who runs this program: with sudo, who called it.
func operator() desk.Author {
	by := desk.Author{Via: desk.ViaCommand}
	if u, err := user.Current(); err == nil {
		by.Name = u.Username
	}
	if name := os.Getenv("SUDO_USER"); name != "" && os.Geteuid() == 0 {
		by.Name = name
	}
	return by
}

const (
	// liveLimit is how long a verb waits for its change to be live: a save is read
	// within two seconds, and names of nodes may take a while to resolve.
	liveLimit = 30 * time.Second
	// liveLook is how often it asks.
	liveLook = 50 * time.Millisecond
)

var errNotYet = errors.New("usher has not read the change yet, or its Envoy has not answered: `usher status` says how it stands")

// await waits until a saved file is live or refused, where usher runs, and says so.
func (c *change) await(cmd *cobra.Command, hash string, began time.Time) error {
	out := cmd.OutOrStdout()
	ctx, cancel := context.WithTimeout(cmd.Context(), liveLimit)
	defer cancel()
	for {
		s, err := c.client().Status(ctx)
		switch {
		case err != nil && ctx.Err() != nil:
			return errNotYet
		case err != nil:
			_, err := fmt.Fprintf(out, "no usher runs with the state folder %s: the change counts when one does\n", c.state)
			return err
		case s.Config != c.config:
			_, err := fmt.Fprintf(out, "the usher of this state folder runs %s, which is not this file\n", s.Config)
			return err
		case s.FileHash == hash && len(s.Problems) > 0 && !s.Serves(hash):
			cmd.PrintErrln("the change is saved, but usher does not serve it; what ran before stays")
			return s.Problems
		case s.Serves(hash) && s.Accepted:
			_, err := fmt.Fprintf(out, "live after %s\n", time.Since(began).Round(10*time.Millisecond))
			return err
		}
		if overwritten(c.config, hash) {
			return errors.New("the change was saved, but the file has been changed again since: look at it")
		}
		select {
		case <-ctx.Done():
			return errNotYet
		case <-time.After(liveLook):
		}
	}
}

// overwritten tells whether a file is another one by now.
func overwritten(path, hash string) bool {
	data, err := os.ReadFile(path)
	return err == nil && desk.Hash(data) != hash
}
