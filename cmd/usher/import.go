package main

import (
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"usher/cmd/usher/httpd"
)

func importCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "import",
		Short: "Write a cluster file from another balancer's configuration",
		Args:  noArguments,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(importHTTPDCommand())
	return cmd
}

func importHTTPDCommand() *cobra.Command {
	var quiet bool
	cmd := &cobra.Command{
		Use:   "httpd FILE...",
		Short: "Write a cluster file from the configuration of an Apache httpd",
		Long: `httpd reads the configuration of an Apache httpd and writes a commented cluster
file to standard output, and to standard error a line for each directive:

  carried       as it is
  approximated  and how
  not carried   and what to do instead
  not needed    and why

Name the file that httpd begins with (apache2.conf, httpd.conf, or the folder
that it lies in) and its includes are followed, or the file of a site alone.
What httpd closes by address stays closed; certificates that are not on this
machine become those of the local CA.

  usher import httpd /etc/apache2/apache2.conf > cluster.yaml
  usher check cluster.yaml

It exits with 1 if something is left to mend by hand in what it wrote.`,
		Args: someFiles,
		RunE: func(cmd *cobra.Command, args []string) error { return importHTTPD(cmd, args, quiet) },
	}
	cmd.Flags().BoolVar(&quiet, "quiet", false, "leave out what was carried exactly, and what is not needed")
	return cmd
}

func someFiles(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return usageError{fmt.Errorf("%s takes the files to read, such as /etc/apache2/apache2.conf", cmd.CommandPath())}
	}
	return nil
}

func importHTTPD(cmd *cobra.Command, files []string, quiet bool) error {
	dir, err := os.Getwd()
	if err != nil {
		return err
	}
	result, err := httpd.Import(os.DirFS("/"), dir, files)
	if err != nil {
		return err
	}
	if _, err := cmd.OutOrStdout().Write(result.YAML); err != nil {
		return err
	}
	if _, err := io.WriteString(cmd.ErrOrStderr(), reportText(result.Report, quiet)); err != nil {
		return err
	}
	if len(result.Problems) > 0 {
		cmd.PrintErrf("to mend by hand:\n%s\n", result.Problems)
		return errSaid
	}
	return nil
}

// reportText are the rows of an import, and how many there are of each kind.
func reportText(rows httpd.Report, quiet bool) string {
	var b strings.Builder
	for _, r := range rows {
		if !quiet || !r.Exact() && r.Verdict != httpd.NotNeeded {
			b.WriteString(r.String() + "\n")
		}
	}
	return b.String() + rows.Summary() + "\n"
}
