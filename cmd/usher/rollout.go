package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"usher/model"
	"usher/xds"
)

// rollout works on nodes one after the other.
type rollout struct {
	change
	command string
	healthy time.Duration
	force   bool
}

func rolloutCommand() *cobra.Command {
	var r rollout
	cmd := &cobra.Command{
		Use:   "rollout [NODE…]",
		Short: "Work on nodes one after the other: drain, wait, run a command, bring back",
		Long: `rollout takes one node after the other: it drains it, waits until it is idle, runs
the command, waits until Envoy finds the node healthy, and gives it the state back
that it had. Without names it takes all active nodes and those that stand by, of all
pools or of --pool. The command is run by sh; USHER_POOL, USHER_NODE and USHER_ADDRESS
say for which node. When the command fails, or the node does not come back, the
rollout ends there, and the node goes on draining. A node without which nobody would
take new sessions is not drained, except with --force.`,
		Example: `  usher rollout --command 'ssh "$USHER_NODE" sudo systemctl restart wso2is'`,
		Args:    cobra.ArbitraryArgs, ValidArgsFunction: completeNodes,
		RunE: func(cmd *cobra.Command, args []string) error {
			if r.command == "" {
				return usageError{errors.New("rollout needs a --command")}
			}
			return r.run(cmd, args)
		},
	}
	r.flags(cmd)
	r.idleness.flags(cmd)
	cmd.Flags().StringVar(&r.command, "command", "", "what is run for each node, while nobody uses it")
	cmd.Flags().DurationVar(&r.healthy, "healthy", 10*time.Minute, "give up when a node is not healthy so long after the command")
	cmd.Flags().BoolVar(&r.force, "force", false, "drain a node also where nobody else takes new sessions")
	return cmd
}

func (r *rollout) run(cmd *cobra.Command, args []string) error {
	todo, err := r.todo(args)
	if err != nil {
		return err
	}
	for i, n := range todo {
		if _, err := fmt.Fprintf(cmd.OutOrStdout(), "\n%s, node %d of %d\n", n.Name, i+1, len(todo)); err != nil {
			return err
		}
		if err := r.one(cmd, n); err != nil {
			return fmt.Errorf("%s: %w", n.Name, err)
		}
	}
	_, err = fmt.Fprintf(cmd.OutOrStdout(), "\ndone: %s\n", count(len(todo), "node"))
	return err
}

// step is one node of a rollout.
type step struct {
	model.Node
	pool string
}

func (s step) of() xds.NodeOf { return xds.NodeOf{Pool: s.pool, Node: s.Name} }

// todo are the nodes that were named, or all that serve.
func (r *rollout) todo(args []string) (all []step, err error) {
	in, err := r.read()
	if err != nil {
		return nil, err
	}
	for _, name := range args {
		if _, err := r.poolOf(in, name); err != nil {
			return nil, err
		}
	}
	for _, p := range in.Pools {
		for _, n := range p.Nodes {
			named := slices.Contains(args, n.Name) || len(args) == 0 && n.State != model.Disabled && n.State != model.Drain
			if named && (r.pool == "" || r.pool == p.Name) {
				all = append(all, step{n, p.Name})
			}
		}
	}
	if len(all) == 0 {
		return nil, errors.New("there is no node to work on")
	}
	return all, nil
}

func (r *rollout) read() (*model.Cluster, error) {
	data, err := readConfig(r.config)
	if err != nil {
		return nil, err
	}
	in, problems := model.Parse(r.config, data)
	if len(problems) > 0 {
		return nil, problems
	}
	return in, nil
}

// one drains a node, works on it and brings it back.
func (r *rollout) one(cmd *cobra.Command, n step) error {
	if err := r.spared(n); err != nil {
		return err
	}
	c := r.change
	c.pool = n.pool
	all, err := c.setStates(cmd, model.Drain, []string{n.Name})
	if err != nil || c.dryRun {
		return err
	}
	if err := c.waitIdle(cmd, all); err != nil {
		return err
	}
	if err := r.work(cmd, n); err != nil {
		return fmt.Errorf("the command failed, and the node goes on draining: %w", err)
	}
	if err := r.comesBack(cmd, &c, n, time.Now()); err != nil {
		return err
	}
	again := r.change
	again.pool = n.pool
	_, err = again.setStates(cmd, n.State, []string{n.Name})
	return err
}

// spared tells whether others take new sessions while the node drains.
func (r *rollout) spared(n step) error {
	in, err := r.read()
	if err != nil || r.force {
		return err
	}
	for _, p := range in.Pools {
		others := slices.ContainsFunc(p.Nodes, func(o model.Node) bool {
			return o.Name != n.Name && o.State != model.Disabled && o.State != model.Drain
		})
		if p.Name == n.pool && !others {
			return fmt.Errorf("no other node of pool %s would take new sessions: enable one, or say --force", n.pool)
		}
	}
	return nil
}

func (r *rollout) work(cmd *cobra.Command, n step) error {
	run := exec.CommandContext(cmd.Context(), "sh", "-c", r.command) //nolint:gosec // the operator's own command
	run.Env = append(os.Environ(), "USHER_POOL="+n.pool, "USHER_NODE="+n.Name, "USHER_ADDRESS="+n.Address.String())
	run.Stdout, run.Stderr = cmd.OutOrStdout(), cmd.ErrOrStderr()
	return run.Run()
}

// checked is how long after the command a node has to be healthy: until then Envoy
// may not have noticed that it was gone.
const checked = 3 * time.Second

// comesBack waits until Envoy finds the node healthy, with checks made after the
// command.
func (r *rollout) comesBack(cmd *cobra.Command, c *change, n step, ended time.Time) error {
	if r.noWait {
		return nil
	}
	deadline := time.Now().Add(r.healthy)
	for {
		s, err := c.client().Status(cmd.Context())
		if err == nil {
			if now, ok := s.Node(n.of()); ok && now.Seen.After(ended.Add(checked)) && now.Health != "failing" && now.Health != "pending" && now.Health != "ejected" {
				return nil
			}
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("it is not healthy %s after the command, and goes on draining: `usher status` says why", r.healthy)
		}
		select {
		case <-cmd.Context().Done():
			return errors.New("interrupted: it goes on draining")
		case <-time.After(idleLook):
		}
	}
}
