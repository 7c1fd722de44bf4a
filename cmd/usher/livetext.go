package main

import (
	"cmp"
	"fmt"
	"strings"
	"time"
	"unicode"

	"github.com/spf13/cobra"

	"usher/model"
	"usher/xds/pki"
)

// checkLive looks at all nodes and prints what was seen. It fails with errSaid
// if a node would not serve as the file has it.
func checkLive(cmd *cobra.Command, p publication, store pki.Store) error {
	now := time.Now()
	cas, _, err := store.Authorities(now)
	if err != nil {
		return fmt.Errorf("the local CA: %w", err)
	}
	local, err := localRoots(cas.PEM())
	if err != nil {
		return err
	}
	r := &report{roots: p.roots, local: local}
	r.pools(look(cmd.Context(), p, now))
	if _, err := fmt.Fprint(cmd.OutOrStdout(), printable(r.text.String())); err != nil {
		return err
	}
	if r.failed > 0 {
		return errSaid
	}
	return nil
}

// report is what --live prints.
type report struct {
	text          strings.Builder
	roots         map[string][]byte // of pools with verify: ca
	local         []byte            // of all others
	nodes, failed int
}

func (r *report) rootsOf(p model.Pool) []byte {
	if roots, ok := r.roots[p.Name]; ok {
		return roots
	}
	return r.local
}

func (r *report) line(indent int, format string, a ...any) {
	fmt.Fprintf(&r.text, strings.Repeat(" ", indent)+format+"\n", a...)
}

func (r *report) pools(all []sight) {
	for len(all) > 0 {
		n := len(all[0].pool.Nodes)
		r.pool(all[:n])
		all = all[n:]
	}
	if r.failed > 0 {
		r.line(0, "\n%d of %d nodes fail as the file has them", r.failed, r.nodes)
		return
	}
	r.line(0, "\nall %d nodes pass as the file has them", r.nodes)
}

// pool is told node by node, and what could be done next.
func (r *report) pool(nodes []sight) {
	p, spoken, trusted := nodes[0].pool, true, true
	r.line(0, "\npool %s (%s)", p.Name, asked(p))
	for i := range nodes {
		s := &nodes[i]
		r.node(s)
		spoken = spoken && (len(s.faults()) == 0 || s.node.State == model.Disabled)
		trusted = trusted && len(s.verdict(model.VerifyCA, r.rootsOf(p))) == 0
		if s.node.State == model.Disabled {
			continue // nothing reaches it
		}
		r.nodes++
		if s.fails(r.rootsOf(p)) {
			r.failed++
		}
	}
	switch {
	case p.TLS == nil || p.TLS.Verify != model.VerifyNone || !spoken:
	case trusted:
		r.line(2, "next: every node would pass, so write tls: {verify: ca}")
	default:
		r.line(2, "next: every node would pass tls: {verify: pin, pins: [%s]}", strings.Join(distinctPins(nodes), ", "))
	}
}

// asked is what the file asks for.
func asked(p model.Pool) string {
	if p.TLS == nil {
		return "no TLS"
	}
	return "verify: " + string(p.TLS.Verify)
}

func (r *report) node(s *sight) {
	state := ""
	if s.node.State != model.Active {
		state = ", " + string(s.node.State)
	}
	r.line(2, "%s %s%s", s.node.Name, s.node.Address, state)
	r.certificate(s.seen)
	faults := s.faults()
	for _, o := range faults {
		r.objection("    ", o)
	}
	if s.pool.TLS == nil && len(faults) == 0 {
		r.line(4, "no TLS, as the pool has it")
	}
	for _, said := range s.said {
		r.remark(said)
	}
	if s.pool.TLS == nil || s.seen.Leaf() == nil {
		return
	}
	for _, mode := range []model.Verify{model.VerifyNone, model.VerifyCA, model.VerifyPin} {
		r.verdict(s, mode, len(faults) > 0)
	}
}

func (r *report) certificate(seen pki.Seen) {
	leaf := seen.Leaf()
	if leaf == nil {
		return
	}
	issuer, days := "by "+leaf.Issuer.String(), pki.DaysLeft(leaf, seen.At)
	if leaf.Issuer.String() == leaf.Subject.String() {
		issuer = "self-signed"
	}
	life := fmt.Sprintf("%d days left", days)
	if days < 0 {
		life = fmt.Sprintf("expired on %s", leaf.NotAfter.UTC().Format(time.DateOnly))
	}
	r.line(4, "%s, %s, %s, for %s", leaf.Subject, issuer, life, cmp.Or(strings.Join(pki.Names(leaf), ", "), "no name"))
	for _, o := range seen.Remarks() {
		r.line(4, "%s: %s", o.What, o.Hint)
	}
}

// verdict is what a mode would say; that of the file has a *.
func (r *report) verdict(s *sight, mode model.Verify, faulty bool) {
	mark, with := " ", ""
	if s.pool.TLS.Verify == mode {
		mark = "*"
	}
	if mode == model.VerifyPin {
		with = " with " + pki.Pin(s.seen.Leaf())
	}
	if faulty {
		with += ", once that is mended"
	}
	all := s.verdict(mode, r.rootsOf(s.pool))
	if len(all) == 0 {
		r.line(2, "%s %-4s passes%s", mark, mode, with)
	}
	for _, o := range all {
		r.objection(fmt.Sprintf("  %s %-4s ", mark, mode), o)
	}
}

func (r *report) remark(said remark) {
	if said.fault == nil {
		r.line(4, "%s", said.text)
		return
	}
	r.objection("    "+said.text+" ", *said.fault)
}

func (r *report) objection(head string, o pki.Objection) {
	r.line(0, "%sfails: %s", head, o.What)
	if o.Hint != "" {
		r.line(11, "hint: %s", o.Hint)
	}
}

// printable keeps what a node says of itself from steering a terminal.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if r != '\n' && !unicode.IsPrint(r) {
			return '?'
		}
		return r
	}, s)
}
