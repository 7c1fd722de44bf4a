package main

import (
	"cmp"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/spf13/cobra"

	"usher/xds/pki"
)

func caCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "ca",
		Short: "The local certificate authority: make, show, import, rotate, export, trust",
		Long: `ca takes care of the local certificate authority in the state folder. The first
'usher run' makes one by itself; 'ca init' and 'ca import' are for those who want
another one. A running usher follows every change.`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(caInitCommand(), caShowCommand(), caImportCommand(), caRotateCommand(), caExportCommand(), caTrustCommand(), caUntrustCommand())
	return cmd
}

// authorityFlags say what a new authority is to be.
type authorityFlags struct {
	name     string
	lifetime span
	rsa      bool
}

func (f *authorityFlags) flags(cmd *cobra.Command) {
	f.lifetime = span(pki.AuthorityLifetime)
	cmd.Flags().StringVar(&f.name, "name", "", "its common name (default: that of the one before, or \"usher local CA\")")
	cmd.Flags().Var(&f.lifetime, "lifetime", "how long it is valid, 1d to 36500d")
	cmd.Flags().BoolVar(&f.rsa, "rsa", false, "a key of RSA 3072 instead of ECDSA P-256")
}

func (f *authorityFlags) request(before string, passphrase []byte) pki.AuthorityRequest {
	r := pki.AuthorityRequest{Name: cmp.Or(f.name, before), Lifetime: f.lifetime.std(), Passphrase: passphrase}
	if f.rsa {
		r.Key = pki.RSA
	}
	return r
}

func caInitCommand() *cobra.Command {
	var v vault
	var f authorityFlags
	cmd := &cobra.Command{
		Use:   "init",
		Short: "Make the local CA, where there is none yet",
		Long: `init makes the local CA: self-signed, for leaves alone (path length 0). With
--passphrase-file its key is kept under that passphrase (PKCS#8, AES-256), and
whoever issues needs the file: 'usher run --passphrase-file FILE'.`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			store, err := v.open()
			if err != nil {
				return err
			}
			ca, err := f.request(pki.LocalName, store.Passphrase).New(time.Now())
			if err != nil {
				return err
			}
			return adopt(cmd, store, ca)
		},
	}
	v.flags(cmd)
	f.flags(cmd)
	return cmd
}

// adopt makes an authority the local one and shows it.
func adopt(cmd *cobra.Command, store pki.Store, ca pki.Authority) error {
	if err := os.MkdirAll(store.Dir, 0o700); err != nil {
		return fmt.Errorf("make the state folder: %w", err)
	}
	if err := store.Adopt(ca); err != nil {
		return err
	}
	return showAuthorities(cmd.OutOrStdout(), store, time.Now())
}

func caShowCommand() *cobra.Command {
	var v vault
	cmd := &cobra.Command{
		Use:   "show",
		Short: "Say what the local CA is, how long it lives, and where a rotation stands",
		Args:  noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			store, err := v.open()
			if err != nil {
				return err
			}
			return showAuthorities(cmd.OutOrStdout(), store, time.Now())
		},
	}
	v.flags(cmd)
	return cmd
}

// authorities are those in the folder; none is made.
// Whether they are valid now is not asked.
func authorities(store pki.Store) (pki.Authorities, error) {
	store.ReadOnly = true
	cas, made, err := store.Authorities(time.Time{})
	if err == nil && made {
		err = fmt.Errorf("there is no local CA in %s yet: 'usher run' makes one at its first start, 'usher ca init' or 'usher ca import' does so now", store.Dir)
	}
	return cas, err
}

func showAuthorities(w io.Writer, store pki.Store, now time.Time) error {
	cas, err := authorities(store)
	if err != nil {
		return err
	}
	text := describeAuthority("local CA", cas.Issuing, now)
	switch cas.Phase {
	case pki.Steady:
	case pki.Introduced:
		text += describeAuthority("the next CA: trusted, does not issue yet", cas.Other, now)
	case pki.Replaced:
		text += describeAuthority("the old CA: trusted, no longer issues", cas.Other, now)
	}
	_, err = io.WriteString(w, text+nextStep(cas.Phase))
	return err
}

func describeAuthority(title string, ca pki.Authority, now time.Time) string {
	c := ca.Certificate
	text := fmt.Sprintf("%s\n  subject  %s\n  sha256   %s\n  key      %s\n  expires  %s, in %d days\n",
		title, c.Subject, pki.Fingerprint(c), pki.KeyKind(c), c.NotAfter.UTC().Format(time.DateOnly), pki.DaysLeft(c, now))
	if why := ca.Closed(); why != nil {
		text += fmt.Sprintf("  cannot issue now: %v\n", why)
	}
	return text
}

func caImportCommand() *cobra.Command {
	var v vault
	var in authorityFiles
	cmd := &cobra.Command{
		Use:   "import",
		Short: "Make an existing authority the local CA",
		Long: `import makes an authority that you have the local CA: its certificate and key in
PEM. A key under a passphrase (also of 'openssl genrsa -des3') needs
--passphrase-file and stays under that passphrase, unless --plain is given.
Without --key nothing can be issued; what is there already serves on.`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			store, err := v.open()
			if err != nil {
				return err
			}
			ca, err := in.read(store.Passphrase)
			if err != nil {
				return err
			}
			return adopt(cmd, store, ca)
		},
	}
	v.flags(cmd)
	in.flags(cmd)
	_ = cmd.MarkFlagRequired("cert") // it is there
	return cmd
}

// authorityFiles are an authority made elsewhere.
type authorityFiles struct {
	cert, key string
	plain     bool
}

func (f *authorityFiles) flags(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.cert, "cert", "", "PEM file of the authority's certificate")
	cmd.Flags().StringVar(&f.key, "key", "", "PEM file of its private key")
	cmd.Flags().BoolVar(&f.plain, "plain", false, "keep the key without its passphrase, at mode 0600")
}

func (f *authorityFiles) read(passphrase []byte) (pki.Authority, error) {
	crt, err := os.ReadFile(f.cert)
	if err != nil {
		return pki.Authority{}, err
	}
	var key []byte
	if f.key != "" {
		if key, err = os.ReadFile(f.key); err != nil {
			return pki.Authority{}, err
		}
	}
	ca, err := pki.ParseAuthority(crt, key, passphrase, !f.plain, time.Now())
	return ca, hint(err, "name a file that holds it by --passphrase-file")
}
