package status

import (
	"fmt"
	"strings"
	"time"

	"usher/xds"
)

// String is the status as a person reads it.
func (s *Status) String() string {
	var b strings.Builder
	s.head(&b)
	for _, e := range s.Envoys {
		fmt.Fprintf(&b, "Envoy %s %s, connected %s\n", e.Node, transport(e), ago(s.Time, e.Since))
		for _, k := range e.Kinds {
			fmt.Fprintf(&b, "  %-10s %-16s %s\n", k.Kind, k.Version, strings.ToUpper(k.State))
			if k.Refusal != nil {
				fmt.Fprintf(&b, "             refused: %s\n             from %s; accepted is %s\n", k.Refusal.Words, k.Refusal.Place, k.Accepted)
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
	case s.Source == FromFile:
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
			fmt.Fprintf(b, "  %-16s %-28s %-8s weight %g%s\n", n.Name, where, n.State, n.Weight, n.flow())
			if n.Reason != "" {
				fmt.Fprintf(b, "  %-16s %s%s\n", "", n.Reason, n.lastSeen(s.Time))
			}
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

// flow is how a node is, and what goes through it.
func (n Node) flow() string {
	if n.Health == "" {
		return ""
	}
	return fmt.Sprintf(" %-8s %d in flight, %.1f/s", n.Health, n.Active, n.Rate)
}

func (n Node) lastSeen(now time.Time) string {
	if n.Seen.IsZero() || now.Sub(n.Seen) < time.Minute {
		return ""
	}
	return "; last healthy " + ago(now, n.Seen)
}

func (a *ACME) when() string {
	if a.Asking {
		return "asked now"
	}
	return "asked next at " + a.Next.Format(time.RFC3339)
}

func ago(now, then time.Time) string { return now.Sub(then).Round(time.Second).String() + " ago" }
