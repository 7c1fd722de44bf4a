package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"usher/cmd/usher/desk"
)

func historyCommand() *cobra.Command {
	var c change
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "history",
		Short: "List who changed the cluster file and how, and take changes back",
		Long: `history lists the changes of the cluster file, the newest first: those by usher's
own verbs with the user's name, and those by editors, which a running usher sees. The
journal is in the state folder; the last 200 changes are kept, or 20 MiB of them.`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			at, err := c.office(cmd.Context())
			if err != nil {
				return err
			}
			all, err := at.history(cmd.Context())
			if err != nil {
				return err
			}
			return printHistory(cmd, all, asJSON)
		},
	}
	c.places.flags(cmd)
	cmd.Flags().BoolVar(&asJSON, "json", false, "print everything as JSON, newest first")
	cmd.AddCommand(historyShowCommand(), historyUndoCommand())
	return cmd
}

func printHistory(cmd *cobra.Command, all []desk.Entry, asJSON bool) error {
	if asJSON {
		text, err := json.MarshalIndent(all, "", "  ")
		if err == nil {
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "%s\n", text)
		}
		return err
	}
	if len(all) == 0 {
		cmd.PrintErrln("no change has been noted yet")
	}
	for _, e := range all {
		if _, err := fmt.Fprintf(cmd.OutOrStdout(), "%4s  %s  %-16s %s\n", e.ID, e.Time.Local().Format(time.DateTime), who(e), strings.Join(e.Words, "; ")); err != nil {
			return err
		}
	}
	return nil
}

// who is the author of a change; whose editor it was, nobody knows.
func who(e desk.Entry) string {
	if e.Via == desk.ViaFile {
		return "an editor"
	}
	return cmp.Or(e.Name, "somebody") + " (" + e.Via + ")"
}

func historyShowCommand() *cobra.Command {
	var c change
	cmd := &cobra.Command{
		Use: "show ID", Short: "Print a change: who, when, what, and the difference of the texts",
		Args: exactly(1, "the number of a change"), ValidArgsFunction: oneOf(),
		RunE: func(cmd *cobra.Command, args []string) error {
			at, err := c.office(cmd.Context())
			if err != nil {
				return err
			}
			e, err := at.entry(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "change %s by %s, %s\n%s\n%s", e.ID, who(e), e.Time.Local().Format(time.DateTime), strings.Join(e.Words, "\n"), e.Diff)
			return err
		},
	}
	c.places.flags(cmd)
	return cmd
}

func historyUndoCommand() *cobra.Command {
	var c change
	cmd := &cobra.Command{
		Use: "undo ID", Short: "Take a change back, in the file as it is now",
		Long: `undo gives the lines of a change their text of before, and leaves all later changes
as they are. Where later ones have touched the same lines it says so and changes
nothing. It is a change itself and can be taken back.`,
		Args: exactly(1, "the number of a change"), ValidArgsFunction: oneOf(),
		RunE: func(cmd *cobra.Command, args []string) error {
			at, err := c.office(cmd.Context())
			if err != nil {
				return err
			}
			p, err := at.takeBack(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			return c.carryOut(cmd, p)
		},
	}
	c.ownFlags(cmd)
	return cmd
}
