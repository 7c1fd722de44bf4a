package main

import (
	"fmt"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"usher/xds/pki"
)

func certListCommand() *cobra.Command {
	var p places
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List every certificate in use: here, on the nodes, and issued for elsewhere",
		Long: `list names the local CA, the certificates of cluster.yaml, that of a console which
others reach, those that the nodes show on the wire, and those that were issued for
use elsewhere: for whom, by whom, and how many days are left. It changes nothing.`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := p.resolve(); err != nil {
				return err
			}
			return listCertificates(cmd, p, time.Now())
		},
	}
	p.flags(cmd)
	return cmd
}

// table is what list prints.
type table struct {
	*tabwriter.Writer
	now time.Time
}

func (t table) row(what string, seen pki.Facts) {
	_, _ = fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%d\n", what, strings.Join(seen.Names, ", "), seen.Issuer, seen.Key, seen.DaysLeft)
}

func listCertificates(cmd *cobra.Command, p places, now time.Time) error {
	store := pki.Store{Dir: p.state, ReadOnly: true}
	t := table{tabwriter.NewWriter(cmd.OutOrStdout(), 0, 0, 2, ' ', 0), now}
	_, _ = fmt.Fprintln(t, "CERTIFICATE\tFOR\tISSUED BY\tKEY\tDAYS LEFT")
	if cas, err := authorities(store); err == nil {
		for _, c := range cas.Trusted() {
			t.row("local CA", pki.FactsOf(c, now))
		}
	}
	ledger, err := store.Ledger()
	if err != nil {
		return err
	}
	for _, c := range ledger {
		t.row(fmt.Sprintf("issued, serial %x", c.SerialNumber), pki.FactsOf(c, now))
	}
	if pair, err := store.Kept(faceFile); err == nil && pair.Leaf != nil {
		t.row("console", pki.FactsOf(pair.Leaf, now))
	}
	file, err := readPublication(cmd.Context(), p.config, store, now)
	if err == nil {
		t.used(cmd, store, file)
	}
	if flushed := t.Flush(); flushed != nil {
		return flushed
	}
	return err
}

// used are the certificates of the cluster file, and those of its nodes.
func (t table) used(cmd *cobra.Command, store pki.Store, p publication) {
	for _, c := range p.cluster.Certificates {
		pair, err := p.pairs[c.Name], error(nil)
		if c.Issued() {
			pair, err = store.Kept(c.Name) // not what would be issued now
		}
		if err != nil || pair.Leaf == nil {
			_, _ = fmt.Fprintf(t, "certificate %s\tnot there yet: a running usher makes it\t\t\t\n", c.Name)
			continue
		}
		t.row("certificate "+c.Name, pki.FactsOf(pair.Leaf, t.now))
	}
	for _, s := range look(cmd.Context(), p, t.now) {
		name := fmt.Sprintf("node %s of %s", s.node.Name, s.pool.Name)
		switch {
		case s.err == nil && len(s.seen.Chain) > 0:
			t.row(name, pki.FactsOf(s.seen.Leaf(), t.now))
		case s.pool.TLS != nil && s.err != nil:
			_, _ = fmt.Fprintf(t, "%s\t%v\t\t\t\n", name, s.err)
		}
	}
}
