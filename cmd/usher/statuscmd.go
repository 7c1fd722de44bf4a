package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"usher/xds"
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
			case quiet && (err != nil || !healthy(s)):
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
func askStatus(ctx context.Context, p places) (*Status, []byte, error) {
	client := http.Client{Timeout: 5 * time.Second, Transport: &http.Transport{DialContext: dialUnix(p.apiSocket())}}
	defer client.CloseIdleConnections()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://localhost/status.json", nil)
	if err != nil {
		return nil, nil, err
	}
	resp, err := client.Do(req)
	if err != nil {
		return nil, nil, fmt.Errorf("no usher runs with the state folder %s: start one with `usher run`, or name the folder with --state", p.state)
	}
	defer resp.Body.Close() //nolint:errcheck // read only
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, nil, fmt.Errorf("read the status: %w", err)
	}
	s := &Status{}
	if err := json.Unmarshal(text, s); err != nil {
		return nil, nil, fmt.Errorf("read the status: %w", err)
	}
	return s, text, nil
}

func printStatus(w io.Writer, s *Status, text []byte, asJSON bool) error {
	if !asJSON {
		s.Time = time.Now()
		text = []byte(s.String())
	}
	if _, err := w.Write(text); err != nil {
		return err
	}
	if !s.Serving || len(s.Problems) > 0 || s.Refusal != nil {
		return errSaid
	}
	return nil
}

// String is the status as a person reads it.
func (s *Status) String() string {
	var b strings.Builder
	s.head(&b)
	for _, e := range s.Envoys {
		fmt.Fprintf(&b, "Envoy %s %s, connected %s\n", e.Node, transport(e), ago(s.Time, e.Since))
		for _, k := range e.Kinds {
			fmt.Fprintf(&b, "  %-10s %-16s %s\n", k.Kind, k.Version, strings.ToUpper(k.State))
			if k.Refusal != nil {
				fmt.Fprintf(&b, "             refused: %s\n", k.Refusal.Words)
			}
		}
	}
	if r := s.Refusal; r != nil {
		fmt.Fprintf(&b, "NACK of %s %s, %s: %s\n", r.Kind, r.Version, ago(s.Time, r.Time), r.Words)
	}
	s.content(&b)
	for _, w := range s.Warnings {
		fmt.Fprintf(&b, "warning: %s\n", w)
	}
	for _, p := range s.Problems {
		fmt.Fprintf(&b, "%s\n", p)
	}
	return b.String()
}

// transport says how an Envoy reaches usher.
func transport(e xds.Client) string {
	switch {
	case !e.Trusted:
		return "from " + e.Address + " in plain text, without keys"
	case strings.Contains(e.Address, ":"):
		return "from " + e.Address + " by mutual TLS"
	}
	return "by the socket"
}

func (s *Status) head(b *strings.Builder) {
	fmt.Fprintf(b, "usher %s, started %s\n", s.Version, ago(s.Time, s.Started))
	switch {
	case !s.Serving:
		fmt.Fprintf(b, "serving nothing: %s has faults\n", s.Config)
	case s.Source == fromFile:
		fmt.Fprintf(b, "serving %s, changed %s\n", s.Config, ago(s.Time, s.Changed))
	default:
		fmt.Fprintf(b, "serving the last accepted file, for %s is not good\n", s.Config)
	}
	if e := s.Supervised; e != nil {
		fmt.Fprintf(b, "Envoy %s %s, pid %d, restarts %d\n", e.Version, e.State, e.PID, e.Restarts)
	}
}

func (s *Status) content(b *strings.Builder) {
	for _, p := range s.Pools {
		fmt.Fprintf(b, "pool %s\n", p.Name)
		for _, n := range p.Nodes {
			where := n.Address
			if n.IP != "" && !strings.HasPrefix(n.Address, n.IP) && !strings.HasPrefix(n.Address, "["+n.IP) {
				where += " (" + n.IP + ")"
			}
			fmt.Fprintf(b, "  %-16s %-28s %-8s weight %g\n", n.Name, where, n.State, n.Weight)
		}
	}
	for _, c := range s.Certificates {
		fmt.Fprintf(b, "certificate %s for %s, by %s, expires %s\n",
			c.Name, strings.Join(c.Hosts, ", "), c.Issuer, c.Expires.Format(time.RFC3339))
		if a := c.ACME; a != nil {
			fmt.Fprintf(b, "  from %s by %s, %s\n", a.Directory, a.Challenge, a.when())
		}
	}
}

func (a *ACMEStatus) when() string {
	if a.Asking {
		return "asked now"
	}
	return "asked next at " + a.Next.Format(time.RFC3339)
}

func ago(now, then time.Time) string { return now.Sub(then).Round(time.Second).String() + " ago" }
