package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"usher/cmd/usher/desk"
)

func diffCommand() *cobra.Command {
	var c change
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "diff FILE",
		Short: "Say what saving another file as the cluster file would change",
		Long: `diff compares FILE (- is standard input) with the cluster file of --config as it
is now: what it says in words, which of Envoy's resources would be pushed, and what
that does to connections and sessions. It changes nothing, and usher need not run.
It exits with 1 if FILE has faults, which it prints as 'usher check' does.`,
		Example: "  usher diff new.yaml && mv new.yaml cluster.yaml\n  git show HEAD~1:cluster.yaml | usher diff -",
		Args:    exactly(1, "one file, or - for standard input"),
		ValidArgsFunction: func(cmd *cobra.Command, args []string, begun string) ([]cobra.Completion, cobra.ShellCompDirective) {
			return firstOnly(completeFile)(cmd, args, begun)
		},
		RunE: func(cmd *cobra.Command, args []string) error { return c.diff(cmd, args[0], asJSON) },
	}
	c.places.flags(cmd)
	envoyFlag(cmd, &c.envoy)
	cmd.Flags().BoolVar(&asJSON, "json", false, "print everything as JSON, the texts' difference as well")
	return cmd
}

func (c *change) diff(cmd *cobra.Command, file string, asJSON bool) error {
	at, err := c.office(cmd.Context())
	if err != nil {
		return err
	}
	before, err := readConfig(c.named)
	if err != nil {
		return err
	}
	after, err := readText(cmd.InOrStdin(), file)
	if err != nil {
		return err
	}
	found, err := at.propose(cmd.Context(), desk.Hash(before), after)
	if err != nil {
		return err
	}
	p := found.Preview
	for i := range p.Problems {
		p.Problems[i].File = file // where a person looks for it
	}
	if asJSON {
		text, err := json.MarshalIndent(p, "", "  ")
		if err != nil {
			return err
		}
		if _, err := fmt.Fprintf(cmd.OutOrStdout(), "%s\n", text); err != nil || len(p.Problems) == 0 {
			return err
		}
		return p.Problems
	}
	if p.Before.Hash == p.After.Hash {
		_, err := fmt.Fprintln(cmd.OutOrStdout(), "the two are the same")
		return err
	}
	resources := ""
	for _, r := range p.Resources {
		resources += fmt.Sprintf("   %s %s: %s\n", r.Kind, r.Name, r.Change)
	}
	effects := p.Effects
	p.Effects = nil
	if err := printPreview(cmd.OutOrStdout(), "", p); err != nil {
		return err
	}
	p.Changes, p.Effects = nil, effects
	if err := printPreview(cmd.OutOrStdout(), resources, p); err != nil || len(p.Problems) == 0 {
		return err
	}
	return p.Problems
}

// readText reads a file, or what comes in.
func readText(in io.Reader, file string) ([]byte, error) {
	if file == "-" {
		return io.ReadAll(in)
	}
	return os.ReadFile(file)
}
