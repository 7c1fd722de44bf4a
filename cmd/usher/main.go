// Command usher shows every client to the node that knows it: it turns one
// watched file, cluster.yaml, into the configuration of a real Envoy.
//
// This package is the program: its verbs, the one loop that decides what is
// published, and the status that everyone reads. It carries no traffic and
// translates nothing itself. It serves the administrator of a cluster.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"usher/envoy"
	"usher/model"
)

// Exit codes, the same for every verb.
const (
	exitGood    = 0
	exitFaults  = 1 // the file, or what runs, has faults
	exitUsage   = 2 // the command line makes no sense
	exitNoEnvoy = 3 // no Envoy was found, or only one that is too old
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(execute(ctx, os.Args[1:]))
}

// usageError is a command line that makes no sense.
type usageError struct{ error }

func execute(ctx context.Context, args []string) int {
	root := rootCommand()
	root.SetArgs(args)
	cmd, err := root.ExecuteContextC(ctx)
	code := exitCode(err)
	if err != nil && !errors.Is(err, errSaid) {
		fmt.Fprintln(os.Stderr, describe(err))
	}
	if code == exitUsage {
		fmt.Fprintf(os.Stderr, "\nRun '%s --help' for how it is used.\n", cmd.CommandPath())
	}
	return code
}

// errSaid ends a verb with exitFaults when everything has been said.
var errSaid = errors.New("faults")

func describe(err error) string {
	var faults model.Problems
	if errors.As(err, &faults) {
		return faults.Error() // they begin with the file's name, as a compiler's do
	}
	return "usher: " + err.Error()
}

func exitCode(err error) int {
	var usage usageError
	switch {
	case err == nil:
		return exitGood
	case errors.As(err, &usage), ofCobra(err):
		return exitUsage
	case errors.Is(err, envoy.ErrNotFound):
		return exitNoEnvoy
	}
	return exitFaults
}

// ofCobra tells whether an error is the library's own about the command line.
func ofCobra(err error) bool {
	for _, begin := range []string{"unknown command", "required flag", "accepts "} {
		if strings.HasPrefix(err.Error(), begin) {
			return true
		}
	}
	return false
}

func rootCommand() *cobra.Command {
	root := &cobra.Command{
		Use:   "usher",
		Short: "A sticky TLS balancer for clusters of stateful servers",
		Long: `usher shows every client to the node that knows it. It turns one watched file,
cluster.yaml, into everything a real Envoy needs to balance a cluster of
stateful servers over TLS: save the file, and the change is live.

Exit codes: 0 good, 1 faults, 2 usage, 3 no Envoy found.`,
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          noArguments,
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return usageError{err} })
	root.AddCommand(runCommand(), serveCommand(), checkCommand(), showCommand(), statusCommand(), explainCommand(),
		nodeCommand(), rolloutCommand(), diffCommand(), historyCommand(),
		bootstrapCommand(), caCommand(), certCommand(), userCommand(), tokenCommand(), consoleCommand(),
		initCommand(), importCommand(), schemaCommand(), manCommand(), versionCommand())
	completionCommand(root)
	complete(root)
	return root
}

func noArguments(cmd *cobra.Command, args []string) error {
	if len(args) > 0 {
		return usageError{fmt.Errorf("unknown command or argument %q for %q", args[0], cmd.CommandPath())}
	}
	return nil
}

// oneFile accepts a single file name, cluster.yaml when there is none.
func oneFile(cmd *cobra.Command, args []string) error {
	if len(args) > 1 {
		return usageError{fmt.Errorf("%s takes one file, not %d", cmd.CommandPath(), len(args))}
	}
	return nil
}

func fileArgument(args []string) string {
	if len(args) == 0 {
		return defaultConfig
	}
	return args[0]
}
