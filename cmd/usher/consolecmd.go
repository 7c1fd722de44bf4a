package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/spf13/cobra"
)

func consoleCommand() *cobra.Command {
	var p places
	cmd := &cobra.Command{
		Use:   "console",
		Short: "Print a link that opens the console as operator, once",
		Long: `console asks the usher that runs with the same state folder for a link to its
console. Whoever opens it first, within five minutes, is operator in that browser
until he logs out, has been away for half an hour, or for twelve hours at most. It
needs no user: who can open the socket in the state folder may do everything
anyway.`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := p.resolve(); err != nil {
				return err
			}
			link, err := askLink(cmd, p)
			if err != nil {
				return err
			}
			_, err = fmt.Fprintln(cmd.OutOrStdout(), link)
			return err
		},
	}
	p.flags(cmd)
	return cmd
}

// askLink asks the running usher over its socket.
func askLink(cmd *cobra.Command, p places) (string, error) {
	client := http.Client{Timeout: 5 * time.Second, Transport: &http.Transport{DialContext: dialUnix(p.apiSocket())}}
	defer client.CloseIdleConnections()
	req, err := http.NewRequestWithContext(cmd.Context(), http.MethodPost, "http://localhost/login/link", nil)
	if err != nil {
		return "", err
	}
	resp, err := client.Do(req)
	if err != nil {
		return "", noUsher(p)
	}
	defer resp.Body.Close() //nolint:errcheck // read only
	if resp.StatusCode != http.StatusOK {
		text, _ := io.ReadAll(io.LimitReader(resp.Body, 1<<10)) // what there is of it
		return "", fmt.Errorf("usher gives no link: %s: %s", resp.Status, text)
	}
	var given struct {
		URL string `json:"url"`
	}
	if err := json.NewDecoder(resp.Body).Decode(&given); err != nil {
		return "", fmt.Errorf("read the link: %w", err)
	}
	return given.URL, nil
}

// noUsher is said by verbs that ask a running one.
func noUsher(p places) error {
	return fmt.Errorf("no usher runs with the state folder %s: start one with `usher run`, or name the folder with --state", p.state)
}
