package main

import (
	"fmt"
	"runtime"

	"github.com/spf13/cobra"

	"usher/envoy"
)

// version and commit are set by the linker.
var (
	version = "dev"
	commit  = "unknown"
)

func versionCommand() *cobra.Command {
	var binary string
	cmd := &cobra.Command{
		Use:   "version",
		Short: "Print the versions of usher, of Go, and of the Envoy it finds",
		Long: `version prints what this usher was made of, the Envoy that it finds on this
machine, the one that it is tested with, and the oldest that will do.`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			found := "none found"
			if b, err := envoy.Find(binary); err == nil {
				found = b.Version + " (" + b.Path + ")"
			}
			_, err := fmt.Fprintf(cmd.OutOrStdout(), "usher %s\ncommit %s\n%s %s/%s\nEnvoy %s\npinned Envoy %s, oldest %s\n",
				version, commit, runtime.Version(), runtime.GOOS, runtime.GOARCH, found, envoy.Pinned, envoy.Oldest)
			return err
		},
	}
	envoyFlag(cmd, &binary)
	return cmd
}
