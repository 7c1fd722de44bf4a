package main

import (
	"fmt"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"usher/cmd/usher/login"
)

func tokenCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "token",
		Short: "Tokens for programs that ask console and API: create, list, remove",
		Long: `token writes the users file, too: a token is 256 random bits, of which the file
keeps the SHA-256. A program shows it as 'Authorization: Bearer TOKEN'.`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(tokenCreateCommand(), tokenListCommand(), tokenRemoveCommand())
	return cmd
}

func tokenCreateCommand() *cobra.Command {
	var r roster
	var role login.Role
	var life span
	cmd := &cobra.Command{
		Use:   "create NAME",
		Short: "Make a token and print it, once",
		Args:  argumentsAre("NAME"),

		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(cmd *cobra.Command, args []string) error {
			var expires time.Time
			if cmd.Flags().Changed("expires") {
				if life.std() <= 0 {
					return usageError{fmt.Errorf("--expires %s: it would never be valid", life.String())}
				}
				expires = time.Now().Add(life.std())
			}
			var token string
			err := r.change(func(f *login.File) (err error) {
				token, err = f.AddToken(args[0], role, expires)
				return err
			})
			if err != nil {
				return err
			}
			_, _ = fmt.Fprintln(cmd.ErrOrStderr(), "This is the only time that it is shown:")
			_, err = fmt.Fprintln(cmd.OutOrStdout(), token)
			return err
		},
	}
	r.flags(cmd)
	roleFlag(cmd, &role)
	cmd.Flags().Var(&life, "expires", "how long it is valid, such as 90d (default: until it is removed)")
	return cmd
}

func tokenListCommand() *cobra.Command {
	var r roster
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List the tokens, their roles and ends",
		Args:  noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			_, tokens, err := r.list()
			if err != nil {
				return err
			}
			t := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 0, 2, ' ', 0)
			for _, u := range tokens {
				_, _ = fmt.Fprintf(t, "%s\t%s\t%s\n", u.Name, u.Role, ends(u.Expires, time.Now())) // Flush tells
			}
			return t.Flush()
		},
	}
	r.flags(cmd)
	return cmd
}

// ends says when a token expires.
func ends(at, now time.Time) string {
	switch {
	case at.IsZero():
		return "does not expire"
	case !now.Before(at):
		return "expired " + at.UTC().Format(time.RFC3339)
	}
	return "until " + at.UTC().Format(time.RFC3339)
}

func tokenRemoveCommand() *cobra.Command {
	var r roster
	cmd := &cobra.Command{
		Use:   "remove NAME",
		Short: "Remove a token: whoever shows it is a stranger",
		Args:  argumentsAre("NAME"),

		ValidArgsFunction: firstOnly(r.completeTokens),
		RunE: func(_ *cobra.Command, args []string) error {
			return r.change(func(f *login.File) error { return f.RemoveToken(args[0]) })
		},
	}
	r.flags(cmd)
	return cmd
}
