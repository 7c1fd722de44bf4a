package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/cpuguy83/go-md2man/v2/md2man"
	"github.com/spf13/cobra"
	"github.com/spf13/cobra/doc"

	"usher/model"
)

func manCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "man DIR",
		Short: "Write the manual pages: one for each verb, and usher-cluster.yaml(5)",
		Long: `man writes the manual pages into a folder, which it makes where there is none: a
page of section 1 for each verb, and usher-cluster.yaml(5) on the keys of the
cluster file. Pages that are there are replaced. SOURCE_DATE_EPOCH in the
environment sets their date.`,
		Example:           "  usher man /usr/local/share/man",
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: firstOnly(cobra.FixedCompletions(nil, cobra.ShellCompDirectiveFilterDirs)),
		RunE: func(cmd *cobra.Command, args []string) error {
			return writeManual(cmd.Root(), args[0], version)
		},
	}
}

// writeManual writes man1 and man5 as MANPATH wants them.
func writeManual(root *cobra.Command, dir, version string) error {
	verbs, files := filepath.Join(dir, "man1"), filepath.Join(dir, "man5")
	for _, d := range []string{verbs, files} {
		if err := os.MkdirAll(d, 0o755); err != nil { //nolint:gosec // manuals are for everybody
			return fmt.Errorf("make the manual: %w", err)
		}
	}
	root.DisableAutoGenTag = true
	asMarkdown(root)
	header := &doc.GenManHeader{Section: "1", Source: "usher " + version, Manual: "usher"}
	if err := doc.GenManTreeFromOpts(root, doc.GenManTreeOptions{Header: header, Path: verbs, CommandSeparator: "-"}); err != nil {
		return fmt.Errorf("make the manual: %w", err)
	}
	page := md2man.Render([]byte(filePage(model.Reference(), version)))
	return os.WriteFile(filepath.Join(files, "usher-cluster.yaml.5"), page, public)
}

// asMarkdown turns the help of all verbs into what the pages are made of.
func asMarkdown(cmd *cobra.Command) {
	cmd.Long = markdown(cmd.Long)
	if !cmd.HasParent() {
		cmd.Long += "\n\nThe keys of the file are in **usher-cluster.yaml**(5)."
	}
	for _, c := range cmd.Commands() {
		asMarkdown(c)
	}
}

// markdown keeps indented lines of a help text as they are.
func markdown(help string) string {
	var lines []string
	fenced := false
	for _, line := range strings.Split(help, "\n") {
		indented := strings.HasPrefix(line, "  ") || strings.HasPrefix(line, "\t")
		if indented != fenced && line != "" {
			lines = append(lines, "```")
			fenced = indented
		}
		if !fenced {
			line = escaped(line)
		}
		lines = append(lines, line)
	}
	if fenced {
		lines = append(lines, "```")
	}
	return strings.Join(lines, "\n")
}

// escaped is a text whose marks stand for themselves, but for backticks.
func escaped(text string) string {
	parts := strings.Split(text, "`")
	for i := 0; i < len(parts); i += 2 {
		parts[i] = strings.NewReplacer(`\`, `\\`, `*`, `\*`, `_`, `\_`, `<`, `\<`, `[`, `\[`, `]`, `\]`).Replace(parts[i])
	}
	return strings.Join(parts, "`")
}
