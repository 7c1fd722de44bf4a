package main

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"usher/cmd/usher/status"
	"usher/model"
)

// listed is a node of the file, and what the usher that runs says of it.
type listed struct {
	Pool     string       `json:"pool"`
	Name     string       `json:"name"`
	Address  string       `json:"address"`
	State    model.State  `json:"state"`
	Weight   float64      `json:"weight"`
	Set      model.Count  `json:"set,omitempty"`
	Redirect string       `json:"redirect,omitempty"`
	JVM      string       `json:"jvm"`               // how a Tomcat is told its name
	Running  *status.Node `json:"running,omitempty"` // nil where usher does not run, or does not serve it
}

func nodeListCommand() *cobra.Command {
	var c change
	var jvm, asJSON bool
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List the nodes with state and weight, and what a running usher says of them",
		Args:  noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			all, runs, err := c.list(cmd)
			switch {
			case err != nil:
				return err
			case asJSON:
				text, err := json.MarshalIndent(all, "", "  ")
				if err == nil {
					_, err = fmt.Fprintf(cmd.OutOrStdout(), "%s\n", text)
				}
				return err
			case jvm:
				return printJVM(cmd.OutOrStdout(), all)
			}
			return printNodes(cmd.OutOrStdout(), all, runs)
		},
	}
	c.places.flags(cmd)
	cmd.Flags().StringVar(&c.pool, "pool", "", "only the nodes of this pool")
	cmd.Flags().BoolVar(&jvm, "jvm", false, "print the line for each node's environment that tells its Tomcat the name")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print everything as JSON")
	return cmd
}

func (c *change) list(cmd *cobra.Command) (all []listed, runs bool, err error) {
	data, err := readConfig(c.config)
	if err != nil {
		return nil, false, err
	}
	in, problems := model.Parse(c.config, data)
	if in == nil {
		return nil, false, problems
	}
	if len(problems) > 0 {
		cmd.PrintErrln(problems.Error())
	}
	if i := slices.IndexFunc(in.Pools, func(p model.Pool) bool { return p.Name == c.pool }); c.pool != "" && i < 0 {
		return nil, false, usageError{fmt.Errorf("the file has no pool %q", c.pool)}
	}
	if err := c.resolve(); err != nil {
		return nil, false, err
	}
	now, err := c.client().Status(cmd.Context())
	if err != nil || now.Config != c.config {
		now = nil // nobody to ask
	}
	all = []listed{}
	for _, p := range in.Pools {
		for _, n := range p.Nodes {
			if c.pool == "" || c.pool == p.Name {
				all = append(all, listed{p.Name, n.Name, n.Address.String(), n.State, float64(n.Weight), n.Set, n.Redirect,
					"JAVA_OPTS='-DjvmRoute=" + n.Name + "'", publishedNode(now, p.Name, n.Name)})
			}
		}
	}
	return all, now != nil, nil
}

// publishedNode is a node as it is published.
func publishedNode(s *status.Status, pool, node string) *status.Node {
	if s == nil {
		return nil
	}
	for _, p := range s.Pools {
		for _, n := range p.Nodes {
			if p.Name == pool && n.Name == node {
				return &n
			}
		}
	}
	return nil
}

func printJVM(w io.Writer, all []listed) error {
	for _, n := range all {
		if _, err := fmt.Fprintf(w, "%s   # %s in %s\n", n.JVM, n.Address, n.Pool); err != nil {
			return err
		}
	}
	return nil
}

func printNodes(w io.Writer, all []listed, runs bool) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	head := "POOL\tNODE\tADDRESS\tSTATE\tWEIGHT"
	if runs {
		head += "\tRUNNING"
	}
	rows := []string{head}
	for _, n := range all {
		row := fmt.Sprintf("%s\t%s\t%s\t%s\t%g", n.Pool, n.Name, n.Address, n.State, n.Weight)
		if runs {
			row += "\t" + n.sayRunning()
		}
		rows = append(rows, row)
	}
	if _, err := fmt.Fprintln(table, strings.Join(rows, "\n")); err != nil {
		return err
	}
	return table.Flush()
}

// sayRunning is what is worth knowing about a node that the file does not say.
func (n listed) sayRunning() string {
	r := n.Running
	if r == nil {
		return "not served"
	}
	var all []string
	if r.State != n.State {
		all = append(all, "still "+string(r.State))
	}
	if r.Weight != n.Weight {
		all = append(all, fmt.Sprintf("still weight %g", r.Weight))
	}
	if r.Address != n.Address {
		all = append(all, "still at "+r.Address)
	}
	if r.Asks != "" {
		all = append(all, "asks for "+string(r.Asks))
	}
	for _, words := range []string{r.Fault, r.Note} {
		if words != "" {
			all = append(all, words)
		}
	}
	if len(all) == 0 {
		return "as the file says"
	}
	return strings.Join(all, "; ")
}
