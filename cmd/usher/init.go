package main

import (
	_ "embed"
	"fmt"

	"github.com/spf13/cobra"
)

//go:embed starter.yaml
var starter []byte

func initCommand() *cobra.Command {
	return &cobra.Command{
		Use:               "init [FILE]",
		Short:             "Write a commented starter file",
		Long:              "init writes a commented cluster file to start from (default cluster.yaml). It never overwrites one.",
		Args:              oneFile,
		ValidArgsFunction: firstOnly(completeFile),
		RunE: func(cmd *cobra.Command, args []string) error {
			file := fileArgument(args)
			if err := writeNew(file, starter, public, "Name another file: usher init FILE"); err != nil {
				return err
			}
			_, err := fmt.Fprintf(cmd.OutOrStdout(), "wrote %s: name your nodes in it, then 'usher check %s' and 'usher run --config %s'\n", file, file, file)
			return err
		},
	}
}
