package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/spf13/cobra"

	"usher/cmd/usher/api"
	"usher/cmd/usher/figures"
	"usher/xds"
)

func explainCommand() *cobra.Command {
	var p places
	var q api.Question
	var cookies, headers []string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "explain URL",
		Short: "Say which node a request would be served by, and why",
		Long: `explain asks the usher that runs with the same state folder what becomes of a
request: which listener and route it takes, which node its session names, and
which node serves it, by the routes that Envoy has and the health that Envoy
sees. Nothing is sent to any node. It exits with 1 where no node can serve.`,
		Example: "  usher explain https://is.example.org/carbon --cookie 'JSESSIONID=4711.isNode1'",
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) != 1 {
				return usageError{fmt.Errorf("%s takes one URL", cmd.CommandPath())}
			}
			return nil
		},
		ValidArgsFunction: oneOf(), // no file is a URL
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := p.resolve(); err != nil {
				return err
			}
			q.URL = args[0]
			if err := fill(&q, cookies, headers); err != nil {
				return err
			}
			return explain(cmd, p, q, asJSON)
		},
	}
	p.flags(cmd)
	cmd.Flags().StringArrayVar(&cookies, "cookie", nil, "NAME=VALUE, or a whole Cookie header; may be given several times")
	cmd.Flags().StringArrayVarP(&headers, "header", "H", nil, "a header of the request, 'NAME: VALUE'; may be given several times")
	cmd.Flags().StringVarP(&q.Method, "method", "X", "", "the method (default GET)")
	cmd.Flags().StringVar(&q.From, "from", "", "the client's address (default 127.0.0.1)")
	cmd.Flags().BoolVar(&q.Certified, "client-certificate", false, "the client shows a certificate that is verified")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print everything as JSON")
	return cmd
}

// fill puts cookies and headers of the command line into a question.
func fill(q *api.Question, cookies, headers []string) error {
	q.Headers = map[string][]string{}
	for _, h := range headers {
		name, value, ok := strings.Cut(h, ":")
		if !ok {
			return usageError{fmt.Errorf("--header %q: write 'NAME: VALUE'", h)}
		}
		name = http.CanonicalHeaderKey(strings.TrimSpace(name))
		q.Headers[name] = append(q.Headers[name], strings.TrimSpace(value))
	}
	if len(cookies) > 0 {
		q.Headers["Cookie"] = []string{strings.Join(append(q.Headers["Cookie"], cookies...), "; ")}
	}
	return nil
}

func explain(cmd *cobra.Command, p places, q api.Question, asJSON bool) error {
	e, err := p.client().Explain(cmd.Context(), q)
	if err != nil {
		return p.asked(err)
	}
	text := strings.Join(e.Steps, "\n") + "\n"
	if asJSON {
		b, err := json.MarshalIndent(e, "", "  ")
		if err != nil {
			return err
		}
		text = string(b) + "\n"
	}
	if _, err := fmt.Fprint(cmd.OutOrStdout(), text); err != nil {
		return err
	}
	if e.Outcome == "unserved" || e.Listener == "" {
		return errSaid
	}
	return nil
}

// client asks the usher that runs with this state folder.
func (p places) client() *api.Client { return api.NewClient(dialUnix(p.apiSocket())) }

// asked explains an error of the client.
func (p places) asked(err error) error {
	var problem *api.Problem
	switch {
	case errors.Is(err, api.ErrNotRunning):
		return fmt.Errorf("no usher runs with the state folder %s: start one with `usher run`, or name the folder with --state", p.state)
	case errors.As(err, &problem) && problem.Status == http.StatusBadRequest:
		return usageError{problem}
	}
	return err
}

// Explain answers by what is published, and by the health that the Envoy sees.
func (l *loop) Explain(ctx context.Context, q xds.Request) (xds.Explanation, error) {
	p := l.live.Load()
	if p == nil {
		return xds.Explanation{}, api.ErrNothing
	}
	return xds.Explain(p.cluster, p.material(), l.sights(ctx), q), nil
}

// sights are what the supervised Envoy thinks of the nodes. Where there is none, or it
// does not answer, all are taken to be healthy.
func (l *loop) sights(ctx context.Context) func(xds.NodeOf) xds.Sight {
	known := map[xds.NodeOf]xds.Sight{}
	if now := l.asksNow(ctx); now != nil {
		for _, p := range now.Pools {
			for _, n := range p.Nodes {
				known[xds.NodeOf{Pool: p.Name, Node: n.Name}] = xds.Sight{Healthy: n.Health.Up(), Why: cmp.Or(n.Reason, string(n.Health))}
			}
		}
	}
	return func(n xds.NodeOf) xds.Sight {
		s, ok := known[n]
		switch {
		case ok:
			return s
		case len(known) > 0:
			return xds.Sight{Why: "Envoy does not have it"}
		}
		return xds.Sight{Healthy: true}
	}
}

func (l *loop) asksNow(ctx context.Context) *figures.Now {
	if l.figures == nil {
		return nil
	}
	now, _, err := l.figures.Ask(ctx)
	if err != nil {
		return nil
	}
	return now
}
