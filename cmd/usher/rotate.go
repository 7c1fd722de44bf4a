package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"usher/xds/pki"
)

func caRotateCommand() *cobra.Command {
	var v vault
	var f authorityFlags
	var in authorityFiles
	var abort, force bool
	cmd := &cobra.Command{
		Use:   "rotate",
		Short: "Go the next step from one local CA to another",
		Long: `rotate replaces the local CA without an outage, in three steps, each of which
survives a restart and is shown by 'usher ca show':

  introduced  a new CA is made (or read with --cert and --key) and trusted; the
              old one issues on. Give clients both: 'usher ca export'.
  replaced    the new one issues, and a running usher renews what it serves at
              once; the old one is still trusted.
  steady      the old one and its key are gone. That is refused as long as
              something in use hangs on it: a certificate that was issued for
              use elsewhere, or one that a node of the cluster file shows;
              also where the file or a node can't be looked at.

--abort ends a rotation that is introduced.`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			store, err := v.open()
			if err != nil {
				return err
			}
			cas, err := authorities(store)
			if err != nil {
				return err
			}
			if err := fits(cmd, cas.Phase); err != nil {
				return err
			}
			r := rotation{store: store, config: v.config, fresh: f, files: in, force: force}
			if err := r.step(cmd.Context(), cas, abort, time.Now()); err != nil {
				return err
			}
			return showAuthorities(cmd.OutOrStdout(), store, time.Now())
		},
	}
	v.flags(cmd)
	f.flags(cmd)
	in.flags(cmd)
	cmd.Flags().BoolVar(&abort, "abort", false, "forget the next CA")
	cmd.Flags().BoolVar(&force, "force", false, "remove the old CA whatever hangs on it")
	return cmd
}

// rotation is one step of it.
type rotation struct {
	store  pki.Store
	config string
	fresh  authorityFlags
	files  authorityFiles
	force  bool
}

// fits refuses flags that say what the next authority is to be where there is
// one already, and half of an authority.
func fits(cmd *cobra.Command, phase pki.Phase) error {
	given := cmd.Flags().Changed
	for _, f := range []string{"cert", "key", "plain", "name", "lifetime", "rsa"} {
		if given(f) && phase != pki.Steady {
			return usageError{fmt.Errorf("--%s says what the next CA is to be, and there is one already (phase %s): 'usher ca rotate --abort' forgets it where it is introduced", f, phase)}
		}
	}
	if (given("key") || given("plain")) && !given("cert") {
		return usageError{errors.New("--key and --plain go with --cert")}
	}
	return nil
}

func (r rotation) step(ctx context.Context, cas pki.Authorities, abort bool, now time.Time) (err error) {
	switch {
	case abort:
		_, err = r.store.Abort()
	case cas.Phase == pki.Steady:
		err = r.introduce(cas.Issuing, now)
	case cas.Phase == pki.Introduced:
		_, err = r.store.Replace()
	default:
		err = r.retire(ctx, cas, now)
	}
	return err
}

func (r rotation) introduce(before pki.Authority, now time.Time) error {
	next, err := r.fresh.request(before.Certificate.Subject.CommonName, r.store.Passphrase).New(now)
	if r.files.cert != "" {
		next, err = r.files.read(r.store.Passphrase)
	}
	if err != nil {
		return err
	}
	_, err = r.store.Introduce(next)
	return err
}

// retire removes the old authority if nothing hangs on it.
func (r rotation) retire(ctx context.Context, cas pki.Authorities, now time.Time) error {
	if !r.force {
		hanging, err := r.hanging(ctx, cas, now)
		if err != nil {
			return err
		}
		if len(hanging) > 0 {
			return fmt.Errorf("the old CA stays, for these hang on it:\n  %s\nissue them anew ('usher run' does so for what it serves), or remove it all the same with --force", strings.Join(hanging, "\n  "))
		}
	}
	_, err := r.store.Retire()
	return err
}

// hanging says what only the old authority vouches for, or may: what was issued,
// what usher serves, what the nodes show. Who can't be looked at is a reason to
// wait.
func (r rotation) hanging(ctx context.Context, cas pki.Authorities, now time.Time) ([]string, error) {
	store := r.store
	store.ReadOnly = true
	p, err := readPublication(ctx, r.config, store, now)
	if err != nil {
		return nil, fmt.Errorf("the old CA stays, for the cluster file does not say what hangs on it (name it by --config, or remove the old CA with --force): %w", err)
	}
	served, words := p.keptLeaves(store), []string(nil)
	all, err := store.Hanging(cas, served, now)
	if err != nil {
		return nil, err
	}
	for _, c := range all {
		words = append(words, fmt.Sprintf("a certificate for %s, serial %x, %d days left", strings.Join(pki.Names(c), ", "), c.SerialNumber, pki.DaysLeft(c, now)))
	}
	for _, s := range look(ctx, p, now) {
		name := fmt.Sprintf("node %s of pool %s, %s", s.node.Name, s.pool.Name, s.node.Address)
		old, _ := cas.Old()
		switch {
		case s.pool.TLS == nil:
		case len(s.seen.Chain) == 0:
			words = append(words, name+fmt.Sprintf(", which could not be looked at: %v", s.err))
		case old.Issued(s.seen.Leaf()) && !cas.Issuing.Issued(s.seen.Leaf()) && !slices.ContainsFunc(all, s.seen.Leaf().Equal):
			words = append(words, name)
		}
	}
	return words, nil
}

// readPublication loads a cluster file as it is now and writes nothing.
func readPublication(ctx context.Context, config string, store pki.Store, now time.Time) (publication, error) {
	data, err := os.ReadFile(config)
	if err != nil {
		return publication{}, err
	}
	l, problems := load(config, data, store, now)
	if len(problems) > 0 {
		return publication{}, problems
	}
	return publication{loaded: l, answers: l.located(ctx)}, nil
}

// nextStep says what to do in a phase of the rotation.
func nextStep(p pki.Phase) string {
	switch p {
	case pki.Introduced:
		return "next: give every client both ('usher ca export'), then 'usher ca rotate'; 'usher ca rotate --abort' forgets the next one\n"
	case pki.Replaced:
		return "next: once every client and node has a certificate of the new one, 'usher ca rotate' removes the old one\n"
	case pki.Steady:
	}
	return ""
}

// hint adds what to do to an error about a passphrase.
func hint(err error, what string) error {
	if err == nil || !passphraseIs(err) {
		return err
	}
	return fmt.Errorf("%w: %s", err, what)
}
