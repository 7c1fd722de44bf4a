package main

import (
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"usher/envoy"
	"usher/model"
	"usher/xds"
	"usher/xds/pki"
)

func checkCommand() *cobra.Command {
	var binary string
	cmd := &cobra.Command{
		Use:   "check [FILE]",
		Short: "Say what is wrong with a cluster file, and whether Envoy takes it",
		Long: `check reads a cluster file (default cluster.yaml) as 'usher run' does, prints
every fault with its place and a hint, and puts the translation to the real
Envoy. It writes nothing: what the local CA would issue is made in memory.`,
		Args: oneFile,
		RunE: func(cmd *cobra.Command, args []string) error {
			file := fileArgument(args)
			l, err := check(cmd, file, binary)
			if err != nil {
				return err
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "%s is good: %d listeners, %d pools, %d nodes, %d certificates\n", file,
				len(l.cluster.Listeners), len(l.cluster.Pools), len(l.addresses()), len(l.cluster.Certificates))
			return err
		},
	}
	envoyFlag(cmd, &binary)
	return cmd
}

func envoyFlag(cmd *cobra.Command, binary *string) {
	cmd.Flags().StringVar(binary, "envoy", "", "the Envoy binary (default $USHER_ENVOY, ../.tools/envoy beside usher, or the PATH)")
}

func check(cmd *cobra.Command, file, binary string) (loaded, error) {
	l, resources, err := inspect(cmd, file)
	if err != nil {
		return loaded{}, err
	}
	found, err := envoy.Find(binary)
	if err != nil {
		return loaded{}, err
	}
	if err := envoy.Validate(cmd.Context(), found, resources.Static()); err != nil {
		return loaded{}, asProblems(file, err)
	}
	return l, nil
}

// inspect loads and translates a file without writing anything: certificates
// of the local CA are throw-aways. What works and should not stay goes to
// standard error.
func inspect(cmd *cobra.Command, file string) (loaded, xds.Resources, error) {
	data, err := readConfig(file)
	if err != nil {
		return loaded{}, xds.Resources{}, err
	}
	l, problems := load(file, data, pki.Store{}, time.Now())
	if len(problems) > 0 {
		return loaded{}, xds.Resources{}, problems
	}
	answers := newResolver().resolve(cmd.Context(), l.addresses())
	for _, w := range append(warnings(l.cluster, answers), l.warnings...) {
		cmd.PrintErrln("warning:", w)
	}
	return l, l.translate(answers), nil
}

func showCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "show [FILE]",
		Short: "Print the Envoy resources that a cluster file becomes",
		Long: `show translates a cluster file (default cluster.yaml) and prints the resources
that Envoy would get, as YAML. Private keys are left out, nothing is written.
Names of nodes are resolved as they are now.`,
		Args: oneFile,
		RunE: func(cmd *cobra.Command, args []string) error {
			_, resources, err := inspect(cmd, fileArgument(args))
			if err != nil {
				return err
			}
			text, err := model.YAML(resources.Redacted().JSON())
			if err != nil {
				return fmt.Errorf("write YAML: %w", err)
			}
			_, err = cmd.OutOrStdout().Write(text)
			return err
		},
	}
}
