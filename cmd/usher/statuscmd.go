package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/spf13/cobra"

	"usher/cmd/usher/status"
)

func statusCommand() *cobra.Command {
	var p places
	var asJSON, quiet bool
	cmd := &cobra.Command{
		Use:   "status",
		Short: "Say what runs: what is served, and which Envoy has accepted it",
		Long: `status asks the usher that runs with the same state folder. It exits with 1 when
nothing is served, when the cluster file as it is now is not what is served,
when an Envoy refused something, or when a certificate could not be obtained.
With --quiet it says nothing and exits with 0 as long as something is served: a
health check.`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := p.resolve(); err != nil {
				return err
			}
			s, text, err := askStatus(cmd.Context(), p)
			switch {
			case quiet && (err != nil || !s.Healthy()):
				return errSaid
			case quiet:
				return nil
			case err != nil:
				return err
			}
			return printStatus(cmd.OutOrStdout(), s, text, asJSON)
		},
	}
	p.flags(cmd)
	cmd.Flags().BoolVar(&asJSON, "json", false, "print everything as JSON")
	cmd.Flags().BoolVarP(&quiet, "quiet", "q", false, "say nothing; exit with 0 while something is served")
	return cmd
}

// askStatus asks the running usher over its socket.
func askStatus(ctx context.Context, p places) (*status.Status, []byte, error) {
	client := http.Client{Timeout: 5 * time.Second, Transport: &http.Transport{DialContext: dialUnix(p.apiSocket())}}
	defer client.CloseIdleConnections()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://localhost/status.json", nil)
	if err != nil {
		return nil, nil, err
	}
	resp, err := client.Do(req)
	if err != nil {
		return nil, nil, noUsher(p)
	}
	defer resp.Body.Close() //nolint:errcheck // read only
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, nil, fmt.Errorf("read the status: %w", err)
	}
	s := &status.Status{}
	if err := json.Unmarshal(text, s); err != nil {
		return nil, nil, fmt.Errorf("read the status: %w", err)
	}
	return s, text, nil
}

func printStatus(w io.Writer, s *status.Status, text []byte, asJSON bool) error {
	if !asJSON {
		s.Time = time.Now()
		text = []byte(s.String())
	}
	if _, err := w.Write(text); err != nil {
		return err
	}
	if !s.Good() {
		return errSaid
	}
	return nil
}
