package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"usher/envoy"
	"usher/model"
	"usher/xds/pki"
)

func checkCommand() *cobra.Command {
	var p places
	var binary string
	var live bool
	cmd := &cobra.Command{
		Use:   "check [FILE]",
		Short: "Say what is wrong with a cluster file, and whether Envoy takes it",
		Long: `check reads a cluster file (default cluster.yaml) as 'usher run' does, prints
every fault with its place and a hint, and puts the translation to the real
Envoy. It writes nothing: what the local CA would issue is made in memory.

With --live it also connects to every node, as Envoy would, and says what it
shows and what verify: none, ca and pin would make of it; the mode that the
file asks for has a *. So verification can be switched on without an outage. It
exits with 1 if a node would fail what the file asks for, or can't be reached
(disabled nodes do not count). The local CA is that of the state folder, where
there is one. Of pools with jvm_route it begins a session on each node (see
session_path), and fails where that does not end in the node's name; it reads the
node's clock, and its health where that has a path.`,
		Args:              oneFile,
		ValidArgsFunction: firstOnly(completeFile),
		RunE: func(cmd *cobra.Command, args []string) error {
			p.config = fileArgument(args)
			store, err := checkStore(p, live)
			if err != nil {
				return err
			}
			now, err := check(cmd, p.config, binary, store)
			if err != nil || !live {
				return err
			}
			return checkLive(cmd, now, store)
		},
	}
	envoyFlag(cmd, &binary)
	cmd.Flags().BoolVar(&live, "live", false, "connect to every node and say what verification would find")
	cmd.Flags().StringVar(&p.state, "state", "", "with --live: the folder with the local CA (default .usher beside the cluster file)")
	return cmd
}

// checkStore keeps nothing. What is kept matters to nodes only.
func checkStore(p places, live bool) (pki.Store, error) {
	if !live {
		return pki.Store{}, nil
	}
	err := p.resolve()
	return pki.Store{Dir: p.state, ReadOnly: true}, err
}

func envoyFlag(cmd *cobra.Command, binary *string) {
	cmd.Flags().StringVar(binary, "envoy", "", "the Envoy binary (default $USHER_ENVOY, ../.tools/envoy or ../lib/usher/envoy beside usher, or the PATH)")
}

func check(cmd *cobra.Command, file, binary string, store pki.Store) (publication, error) {
	p, err := inspect(cmd, file, store)
	if err != nil {
		return p, err
	}
	found, err := envoy.Find(binary)
	if err != nil {
		return p, err
	}
	if err := envoy.Validate(cmd.Context(), found, p.resources.Static()); err != nil {
		return p, asProblems(file, refusedAt(p.cluster, err))
	}
	_, err = fmt.Fprintf(cmd.OutOrStdout(), "%s is good: %s, %s, %s, %s\n", file, count(len(p.cluster.Listeners), "listener"),
		count(len(p.cluster.Pools), "pool"), count(len(p.addresses()), "node"), count(len(p.cluster.Certificates), "certificate"))
	return p, err
}

// count says how many there are of something.
func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// inspect loads and translates a file without writing anything. What works and
// should not stay goes to standard error.
func inspect(cmd *cobra.Command, file string, store pki.Store) (publication, error) {
	data, err := readConfig(file)
	if err != nil {
		return publication{}, err
	}
	l, problems := load(file, data, store, time.Now())
	if len(problems) > 0 {
		return publication{}, problems
	}
	p := publication{loaded: l, answers: l.located(cmd.Context())}
	p.translate()
	for _, w := range p.allWarnings() {
		cmd.PrintErrln("warning:", w)
	}
	return p, nil
}

// located says where the nodes' names point, for those who wait for it.
func (l *loaded) located(ctx context.Context) map[model.Address]answer {
	ctx, cancel := context.WithTimeout(ctx, lookLimit)
	defer cancel()
	return newResolver().resolve(ctx, l.addresses())
}

func showCommand() *cobra.Command {
	var preset string
	cmd := &cobra.Command{
		Use:   "show [FILE]",
		Short: "Print the Envoy resources that a cluster file becomes",
		Long: `show translates a cluster file (default cluster.yaml) and prints the resources
that Envoy would get, as YAML. Private keys are left out, nothing is written.
Names of nodes are resolved as they are now.

With --preset it prints what a preset stands for in a cluster file.`,
		Args:              oneFile,
		ValidArgsFunction: firstOnly(completeFile),
		RunE: func(cmd *cobra.Command, args []string) error {
			if preset != "" {
				return showPreset(cmd, preset)
			}
			p, err := inspect(cmd, fileArgument(args), pki.Store{})
			if err != nil {
				return err
			}
			text, err := model.YAML(p.resources.Redacted().JSON())
			if err != nil {
				return fmt.Errorf("write YAML: %w", err)
			}
			_, err = cmd.OutOrStdout().Write(text)
			return err
		},
	}
	cmd.Flags().StringVar(&preset, "preset", "", "print what a preset stands for: "+strings.Join(model.PresetNames(), ", "))
	return cmd
}

func showPreset(cmd *cobra.Command, name string) error {
	text, err := model.PresetText(name)
	if err != nil {
		return usageError{err}
	}
	_, err = fmt.Fprint(cmd.OutOrStdout(), text)
	return err
}
