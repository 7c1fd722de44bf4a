package main

import (
	_ "embed"
	"errors"
	"fmt"
	"os"
	"runtime"

	"github.com/spf13/cobra"

	"usher/envoy"
)

//go:embed starter.yaml
var starter []byte

func initCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "init [FILE]",
		Short: "Write a commented starter file",
		Long:  "init writes a commented cluster file to start from (default cluster.yaml). It never overwrites one.",
		Args:  oneFile,
		RunE: func(cmd *cobra.Command, args []string) error {
			file := fileArgument(args)
			if err := writeNew(file, starter); err != nil {
				return err
			}
			_, err := fmt.Fprintf(cmd.OutOrStdout(), "wrote %s: name your nodes in it, then 'usher check %s' and 'usher run --config %s'\n", file, file, file)
			return err
		},
	}
}

func writeNew(file string, data []byte) error {
	f, err := os.OpenFile(file, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644) //nolint:gosec // no secret, and others may read it
	if errors.Is(err, os.ErrExist) {
		return fmt.Errorf("%s is there already; it stays as it is. Name another file: usher init FILE", file)
	}
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	return errors.Join(err, f.Close())
}

func versionCommand() *cobra.Command {
	var binary string
	cmd := &cobra.Command{
		Use:   "version",
		Short: "Print the versions of usher, of Go, and of the Envoy it finds",
		Args:  noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			found := "none found"
			if b, err := envoy.Find(binary); err == nil {
				found = b.Version + " (" + b.Path + ")"
			}
			_, err := fmt.Fprintf(cmd.OutOrStdout(), "usher %s\n%s\nEnvoy %s\n", version, runtime.Version(), found)
			return err
		},
	}
	envoyFlag(cmd, &binary)
	return cmd
}
