package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"usher/model"
	"usher/xds"
)

func nodeCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "node",
		Short: "List the nodes, and drain, enable, weigh, add and remove them",
		Long: `node changes the nodes in the cluster file: comments, order and layout stay as
they are. It prints what it changes and what that does to connections, saves, and,
where usher runs, waits until the change is live. Nothing is saved if the result
would have faults, or if somebody else has saved meanwhile. Every change is in
'usher history', where it can be taken back.`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(nodeListCommand(),
		stateCommand("drain", model.Drain, "Let nobody new come to nodes; their sessions stay"),
		stateCommand("enable", model.Active, "Let nodes serve: what drains, stands by or is disabled is active again"),
		stateCommand("disable", model.Disabled, "Take nodes out at once; their users move at their next request"),
		stateCommand("standby", model.Standby, "Let nodes serve only when no active node can"),
		weightCommand(), addCommand(), removeCommand())
	return cmd
}

// stateCommand sets the state of nodes.
func stateCommand(verb string, state model.State, short string) *cobra.Command {
	var c change
	cmd := &cobra.Command{
		Use: verb + " NODE…", Short: short, Example: "  usher node " + verb + " isNode1",
		Args: someNodes, ValidArgsFunction: completeNodes,
		RunE: func(cmd *cobra.Command, args []string) error {
			all, err := c.setStates(cmd, state, args)
			if err != nil || !c.wait || c.dryRun {
				return err
			}
			return c.waitIdle(cmd, all)
		},
	}
	c.flags(cmd)
	if state == model.Drain {
		cmd.Long = `drain lets nobody new come to nodes; those who have a session there stay. With
--wait it ends when the nodes are idle, so that work on them may start; it goes on
after a restart of usher, and may be started again itself.`
		cmd.Flags().BoolVar(&c.wait, "wait", false, "wait until the nodes are idle")
		c.idleness.flags(cmd)
	}
	return cmd
}

// setStates gives nodes a state, and says which they are.
func (c *change) setStates(cmd *cobra.Command, state model.State, names []string) (all []xds.NodeOf, err error) {
	err = c.run(cmd, func(in *model.Cluster) (edits []model.Edit, err error) {
		all = nil
		for _, node := range names {
			pool, err := c.poolOf(in, node)
			if err != nil {
				return nil, err
			}
			all = append(all, xds.NodeOf{Pool: pool, Node: node})
			edits = append(edits, model.SetNode(pool, node, "state", string(state)))
		}
		return edits, nil
	})
	return all, err
}

func weightCommand() *cobra.Command {
	var c change
	cmd := &cobra.Command{
		Use: "weight NODE WEIGHT", Short: "Give a node another share of new sessions, 0.01 to 100", Example: "  usher node weight isNode2 0.5",
		Args: exactly(2, "a node and its weight"), ValidArgsFunction: firstOnly(completeNodes),
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.run(cmd, func(in *model.Cluster) ([]model.Edit, error) {
				pool, err := c.poolOf(in, args[0])
				return []model.Edit{model.SetNode(pool, args[0], "weight", args[1])}, err
			})
		},
	}
	c.flags(cmd)
	return cmd
}

func addCommand() *cobra.Command {
	var c change
	var weight, state string
	cmd := &cobra.Command{
		Use: "add NAME ADDRESS", Short: "Add a node to a pool, written as the others are", Example: "  usher node add isNode3 10.0.0.3:9443 --as standby",
		Args: exactly(2, "a name and an address"), ValidArgsFunction: oneOf(),
		RunE: func(cmd *cobra.Command, args []string) error {
			address, err := model.ParseAddress(args[1])
			if err != nil {
				return usageError{err}
			}
			return c.run(cmd, func(in *model.Cluster) ([]model.Edit, error) {
				pool, err := c.onlyPool(in)
				edits := []model.Edit{model.AddNode(pool, model.Node{Name: args[0], Address: address})}
				for _, key := range [][2]string{{"weight", weight}, {"state", state}} {
					if key[1] != "" {
						edits = append(edits, model.SetNode(pool, args[0], key[0], key[1]))
					}
				}
				return edits, err
			})
		},
	}
	c.flags(cmd)
	cmd.Flags().StringVar(&weight, "weight", "", "its share of new sessions (default 1)")
	cmd.Flags().StringVar(&state, "as", "", "its state: active, drain, disabled, standby or spare (default active)")
	return cmd
}

func removeCommand() *cobra.Command {
	var c change
	cmd := &cobra.Command{
		Use: "remove NODE…", Short: "Take nodes out of the file, with the comments that are their own", Example: "  usher node remove isNode3",
		Args: someNodes, ValidArgsFunction: completeNodes,
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.run(cmd, func(in *model.Cluster) (edits []model.Edit, err error) {
				for _, node := range args {
					pool, err := c.poolOf(in, node)
					if err != nil {
						return nil, err
					}
					edits = append(edits, model.RemoveNode(pool, node))
				}
				return edits, nil
			})
		},
	}
	c.flags(cmd)
	return cmd
}

func someNodes(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return usageError{fmt.Errorf("%s takes the names of nodes", cmd.CommandPath())}
	}
	return nil
}

func exactly(n int, what string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) != n {
			return usageError{fmt.Errorf("%s takes %s", cmd.CommandPath(), what)}
		}
		return nil
	}
}

// poolOf is the pool of a node: the one that --pool names, or the only one that has
// it.
func (c *change) poolOf(in *model.Cluster, node string) (string, error) {
	if c.pool != "" {
		return c.pool, nil
	}
	var all, known []string
	for _, p := range in.Pools {
		for _, n := range p.Nodes {
			if n.Name == node && !slices.Contains(all, p.Name) {
				all = append(all, p.Name)
			}
			known = append(known, n.Name)
		}
	}
	switch len(all) {
	case 0:
		slices.Sort(known)
		return "", fmt.Errorf("no pool has a node %q: there are %s", node, strings.Join(slices.Compact(known), ", "))
	case 1:
		return all[0], nil
	}
	return "", usageError{fmt.Errorf("%s is a node of several pools: name one of them, --pool %s", node, strings.Join(all, " or --pool "))}
}

// onlyPool is the pool that --pool names, or the file's only one.
func (c *change) onlyPool(in *model.Cluster) (string, error) {
	var all []string
	for _, p := range in.Pools {
		all = append(all, p.Name)
	}
	switch {
	case c.pool != "":
		return c.pool, nil
	case len(all) == 0:
		return "", errors.New("the file has no pools")
	case len(all) == 1:
		return all[0], nil
	}
	return "", usageError{fmt.Errorf("the file has several pools: name one of them, --pool %s", strings.Join(all, " or --pool "))}
}
