package main

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"usher/cmd/usher/desk"
	"usher/cmd/usher/figures"
	"usher/cmd/usher/status"
	"usher/model"
	"usher/xds"
	"usher/xds/pki"
)

func (l *loop) publishStatus(now time.Time) {
	s := &status.Status{
		Version: version, Started: l.started, Time: now, Config: l.config, FileHash: l.read,
		Serving: l.serving(), Source: l.now.source, Changed: l.now.at,
		Accepted: l.serving() && l.refusal == nil && l.settled(),
		Problems: l.problems, Refusal: l.refusal,
		Published: l.server.Versions(), Envoys: l.server.Clients(),
		Supervised: l.process.s,
	}
	if l.now.cluster != nil {
		s.Pools, s.Certificates = l.now.pools, l.certificateStatus()
		s.Problems = slices.Concat(l.problems, l.refused())
		s.Warnings, s.ServedHash = l.now.said, l.now.hash
	}
	l.status.Store(s)
}

// describe notes what the status says of a publication: the status is made at every
// turn of the loop, and there may be thousands of nodes.
func (p *publication) describe() { p.pools, p.said = p.poolStatus(), p.allWarnings() }

func (p *publication) poolStatus() []status.Pool {
	all := make([]status.Pool, 0, len(p.cluster.Pools))
	for _, pool := range p.cluster.Pools {
		s := status.Pool{Name: pool.Name, Nodes: make([]status.Node, 0, len(pool.Nodes))}
		for _, n := range pool.Nodes {
			s.Nodes = append(s.Nodes, p.nodeStatus(xds.NodeOf{Pool: pool.Name, Node: n.Name}, n))
		}
		all = append(all, s)
	}
	return all
}

func (p *publication) nodeStatus(of xds.NodeOf, n model.Node) status.Node {
	s := nodeStatus(n, p.answers[n.Address])
	w := p.wishes[of]
	s.Note = strings.TrimPrefix(w.note+"; "+p.drifts[of].note, "; ")
	s.Note = strings.TrimSuffix(s.Note, "; ")
	if w.drain {
		s.Asks = model.Drain
	}
	return s
}

func nodeStatus(n model.Node, a answer) status.Node {
	s := status.Node{Name: n.Name, Address: n.Address.String(), State: n.State, Weight: float64(n.Weight)}
	ip := n.Address.IP()
	if !ip.IsValid() {
		ip = a.ip
	}
	if ip.IsValid() {
		s.IP = ip.String()
	}
	if a.fault != nil {
		s.Fault = a.fault.Error()
	}
	return s
}

func (l *loop) certificateStatus() []status.Certificate {
	var all []status.Certificate
	for _, c := range l.now.cluster.Certificates {
		leaf := l.now.pairs[c.Name].Leaf
		if leaf == nil {
			continue
		}
		s := status.Certificate{Name: c.Name, Hosts: leaf.DNSNames, Issued: leaf.NotBefore, Expires: leaf.NotAfter}
		s.Issuer = pki.Issuer(leaf)
		for _, ip := range leaf.IPAddresses {
			s.Hosts = append(s.Hosts, ip.String())
		}
		if c.Issued() {
			s.Renews = l.now.due
		}
		s.ACME = l.acmeStatus(c)
		all = append(all, s)
	}
	return all
}

func (l *loop) acmeStatus(c model.Certificate) *status.ACME {
	kept, ok := l.keeper.kept[c.Name]
	if !ok {
		return nil
	}
	busy := l.keeper.busy
	return &status.ACME{
		Directory: c.ACME.Directory, Challenge: c.ACME.Challenge, Asking: busy != nil && busy.Name == c.Name,
		Next: kept.Next, Failures: kept.Failures, Why: kept.Why,
	}
}

// allWarnings are what works and should not stay, in one line each.
func (p *publication) allWarnings() []string {
	return slices.Concat(warnings(p.cluster, p.answers), p.notes(), p.warnings)
}

// warnings are those that the file and its nodes' names give rise to.
func warnings(c *model.Cluster, answers map[model.Address]answer) []string {
	var all []string
	for _, l := range c.Listeners {
		if l.Tracing == nil {
			continue
		}
		if a, ok := answers[l.Tracing.Collector]; ok && a.fault != nil {
			all = append(all, "listener "+l.Name+", tracing: "+a.fault.Error()+"; spans are lost")
		}
	}
	for _, p := range c.Pools {
		if p.TLS != nil && p.TLS.Verify == model.VerifyNone {
			all = append(all, "pool "+p.Name+": the nodes' certificates are not verified (tls.verify: none), so that anyone in between can listen; `usher check --live` says what verification would find")
		}
		drained := p.Draining()
		if p.HashCookie() != nil && len(drained) > xds.MaxDrains {
			all = append(all, fmt.Sprintf("pool %s: %d nodes drain at once, and sticky.cookie tells %d apart (%s): some clients move when another begins or ends to drain; end one of the drains first",
				p.Name, len(drained), xds.MaxDrains, strings.Join(drained[:xds.MaxDrains], ", ")))
		}
		if p.Balance.Hashes() && p.HashCookie() == nil && len(drained) > 0 {
			all = append(all, fmt.Sprintf("pool %s: what is hashed does not tell old clients from new ones, so that those of a draining node (%s) move at once", p.Name, strings.Join(drained, ", ")))
		}
		for _, n := range p.Nodes {
			if a, ok := answers[n.Address]; ok && a.fault != nil {
				text := "the last known address stays"
				if !a.ip.IsValid() {
					text = "the node is left out"
				}
				all = append(all, "pool "+p.Name+", node "+n.Name+": "+a.fault.Error()+"; "+text)
			}
		}
	}
	return all
}

// Status is what readers get: the last that the loop made, with what Envoy says of
// the nodes.
func (l *loop) Status() *status.Status {
	s := l.figures.Latest().Into(l.status.Load(), time.Now())
	silent := l.figures.Silent()
	if s == nil || len(silent) == 0 {
		return s
	}
	with := *s
	with.Warnings = slices.Concat(s.Warnings, silent)
	return &with
}

// Figures are what Envoys count, nil where none is asked or none answers.
func (l *loop) Figures() *figures.Now { return l.figures.Latest() }

// Hour is what it counted in the last hour.
func (l *loop) Hour() []figures.Sample {
	if l.figures == nil {
		return nil
	}
	return l.figures.Hour()
}

// Desk is where the cluster file is changed.
func (l *loop) Desk() *desk.Desk { return l.desk }

// binary is the path of the Envoy that validates, empty where there is none.
func (l *loop) binary() string {
	if l.envoy == nil {
		return ""
	}
	return l.envoy.Path
}
