package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"text/tabwriter"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"usher/cmd/usher/login"
	"usher/xds/pki/keystore"
)

// roster is the users file that a verb changes.
type roster struct {
	places
	users string
}

func (r *roster) flags(cmd *cobra.Command) {
	r.places.flags(cmd)
	usersFlag(cmd, &r.users)
}

func usersFlag(cmd *cobra.Command, file *string) {
	cmd.Flags().StringVar(file, "users", "", "file with the users and tokens of console and API, mode 0600 (default STATE/users.yaml)")
}

// usersFile is the file that an option names, or that of the state folder.
func (p places) usersFile(named string) string {
	return cmp.Or(named, filepath.Join(p.state, "users.yaml"))
}

// change applies a change to the file.
func (r *roster) change(change func(*login.File) error) error {
	if err := r.resolve(); err != nil {
		return err
	}
	return login.Change(r.usersFile(r.users), change)
}

func (r *roster) list() (users, tokens []login.Listed, err error) {
	if err := r.resolve(); err != nil {
		return nil, nil, err
	}
	return login.List(r.usersFile(r.users))
}

// completeUsers and completeTokens offer the names in the file.
func (r *roster) completeUsers(*cobra.Command, []string, string) ([]cobra.Completion, cobra.ShellCompDirective) {
	users, _, _ := r.list() // a faulty file offers nobody
	return offered(users)
}

func (r *roster) completeTokens(*cobra.Command, []string, string) ([]cobra.Completion, cobra.ShellCompDirective) {
	_, tokens, _ := r.list() // a faulty file offers nobody
	return offered(tokens)
}

func offered(all []login.Listed) (names []cobra.Completion, _ cobra.ShellCompDirective) {
	for _, e := range all {
		names = append(names, cobra.CompletionWithDesc(e.Name, e.Role.String()))
	}
	return names, cobra.ShellCompDirectiveNoFileComp
}

func userCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "user",
		Short: "Who may log in to the console: add, list, remove, passwd, role",
		Long: `user writes the users file: names, roles and argon2id hashes of passwords. A viewer
reads everything, an operator changes it, too. A running usher follows the file:
whoever is removed from it, or gets another role or password, is logged out.
Programs get tokens, see 'usher token'.`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(userAddCommand(), userListCommand(), userRemoveCommand(), userPasswdCommand(), userRoleCommand())
	return cmd
}

func userAddCommand() *cobra.Command {
	var r roster
	var role login.Role
	var file string
	cmd := &cobra.Command{
		Use:   "add NAME",
		Short: "Add a user with a password and a role",
		Args:  argumentsAre("NAME"),

		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(cmd *cobra.Command, args []string) error {
			password, err := newPassword(cmd, file)
			if err != nil {
				return err
			}
			return r.change(func(f *login.File) error { return f.AddUser(args[0], role, password) })
		},
	}
	r.flags(cmd)
	roleFlag(cmd, &role)
	passwordFlag(cmd, &file)
	return cmd
}

func userListCommand() *cobra.Command {
	var r roster
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List the users and their roles",
		Args:  noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			users, _, err := r.list()
			if err != nil {
				return err
			}
			t := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 0, 2, ' ', 0)
			for _, u := range users {
				_, _ = fmt.Fprintf(t, "%s\t%s\n", u.Name, u.Role) // Flush tells
			}
			return t.Flush()
		},
	}
	r.flags(cmd)
	return cmd
}

func userRemoveCommand() *cobra.Command {
	var r roster
	cmd := &cobra.Command{
		Use:   "remove NAME",
		Short: "Remove a user, and log him out",
		Args:  argumentsAre("NAME"),

		ValidArgsFunction: firstOnly(r.completeUsers),
		RunE: func(_ *cobra.Command, args []string) error {
			return r.change(func(f *login.File) error { return f.RemoveUser(args[0]) })
		},
	}
	r.flags(cmd)
	return cmd
}

func userPasswdCommand() *cobra.Command {
	var r roster
	var file string
	cmd := &cobra.Command{
		Use:   "passwd NAME",
		Short: "Give a user another password, and log him out",
		Args:  argumentsAre("NAME"),

		ValidArgsFunction: firstOnly(r.completeUsers),
		RunE: func(cmd *cobra.Command, args []string) error {
			password, err := newPassword(cmd, file)
			if err != nil {
				return err
			}
			return r.change(func(f *login.File) error { return f.SetPassword(args[0], password) })
		},
	}
	r.flags(cmd)
	passwordFlag(cmd, &file)
	return cmd
}

func userRoleCommand() *cobra.Command {
	var r roster
	cmd := &cobra.Command{
		Use:   "role NAME operator|viewer",
		Short: "Give a user another role, and log him out",
		Args:  argumentsAre("NAME", "ROLE"),

		ValidArgsFunction: func(cmd *cobra.Command, args []string, begun string) ([]cobra.Completion, cobra.ShellCompDirective) {
			if len(args) == 1 {
				return []cobra.Completion{"operator", "viewer"}, cobra.ShellCompDirectiveNoFileComp
			}
			return firstOnly(r.completeUsers)(cmd, args, begun)
		},
		RunE: func(_ *cobra.Command, args []string) error {
			role, err := login.ParseRole(args[1])
			if err != nil {
				return usageError{err}
			}
			return r.change(func(f *login.File) error { return f.SetRole(args[0], role) })
		},
	}
	r.flags(cmd)
	return cmd
}

// argumentsAre demands as many arguments as there are words.
func argumentsAre(words ...string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) != len(words) {
			return usageError{fmt.Errorf("%s takes %d argument(s), not %d: %v", cmd.CommandPath(), len(words), len(args), words)}
		}
		return nil
	}
}

func roleFlag(cmd *cobra.Command, role *login.Role) {
	cmd.Flags().Var(role, "role", "operator or viewer")
	_ = cmd.MarkFlagRequired("role") // it is there
}

func passwordFlag(cmd *cobra.Command, file *string) {
	cmd.Flags().StringVar(file, "password-file", "", "file whose first line is the password, - for standard input (default: ask for it)")
}

// newPassword reads a password from a file, or asks for it twice.
func newPassword(cmd *cobra.Command, file string) (string, error) {
	switch {
	case file == "-":
		text, err := io.ReadAll(io.LimitReader(cmd.InOrStdin(), 1<<16))
		if err != nil {
			return "", fmt.Errorf("read the password: %w", err)
		}
		password, err := keystore.Passphrase(text)
		return string(password), err
	case file != "":
		password, err := readPassphrase(file)
		return string(password), err
	case !term.IsTerminal(int(os.Stdin.Fd())):
		return "", usageError{errors.New("there is no terminal to ask for the password: name a file by --password-file, or - for standard input")}
	}
	return askPassword(cmd.ErrOrStderr())
}

func askPassword(w io.Writer) (string, error) {
	var typed [2][]byte
	for i, prompt := range []string{"Password: ", "Again: "} {
		_, _ = io.WriteString(w, prompt)
		var err error
		typed[i], err = term.ReadPassword(int(os.Stdin.Fd()))
		_, _ = io.WriteString(w, "\n")
		if err != nil {
			return "", fmt.Errorf("read the password: %w", err)
		}
	}
	if string(typed[0]) != string(typed[1]) {
		return "", errors.New("the two are not the same: nothing was changed")
	}
	return string(typed[0]), nil
}
