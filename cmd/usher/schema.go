package main

import (
	"github.com/spf13/cobra"

	"usher/model"
)

func schemaCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "schema",
		Short: "Print the JSON Schema of a cluster file, for editors",
		Long: `schema prints the JSON Schema (draft 2020-12) of a cluster file. An editor with
yaml-language-server then completes keys, explains them, and underlines what no
file may say; this line at the top of cluster.yaml tells it where the schema is:

  # yaml-language-server: $schema=cluster.schema.json

'usher check' knows more: what one key asks of another, ranges of durations, and
whether the real Envoy takes the file.`,
		Example: "  usher schema > cluster.schema.json",
		Args:    noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			_, err := cmd.OutOrStdout().Write(model.Schema())
			return err
		},
	}
}
