package main

import (
	"errors"
	"fmt"
	"io/fs"
	"math/big"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"usher/model"
	"usher/xds/pki"
)

func certCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "cert",
		Short: "Certificates: issue, request, sign, import, list",
		Long: `cert makes certificates for use elsewhere, such as on the nodes, and brings those
of others here. What the listeners of cluster.yaml show needs none of it: usher
issues and renews that by itself.`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(certIssueCommand(), certCSRCommand(), certSignCommand(), certImportCommand(), certListCommand())
	return cmd
}

// leafFlags say what a certificate is to be.
type leafFlags struct {
	lifetime span
	serial   string
	keyType  string
	use      string
	out      string
}

func (f *leafFlags) life(cmd *cobra.Command) {
	f.lifetime = span(model.DefaultLifetime)
	cmd.Flags().Var(&f.lifetime, "lifetime", "how long it is valid, 60s to 825d")
	cmd.Flags().StringVar(&f.serial, "serial", "", "its serial number in hexadecimal digits (default: 128 random bits)")
	cmd.Flags().StringVar(&f.use, "use", "server", "server, client or both")
}

func (f *leafFlags) key(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.keyType, "key-type", "ecdsa", "ecdsa (P-256) or rsa (3072 bits)")
}

// request reads the flags.
func (f *leafFlags) request(hosts []string) (pki.Request, error) {
	r := pki.Request{Hosts: hosts, Lifetime: f.lifetime.std()}
	if len(hosts) > 0 && len(hosts[0]) <= 64 {
		r.CommonName = hosts[0]
	}
	var known bool
	if r.Key, known = map[string]pki.KeyType{"": pki.ECDSA, "ecdsa": pki.ECDSA, "rsa": pki.RSA}[f.keyType]; !known {
		return r, usageError{fmt.Errorf("--key-type %s: choose ecdsa or rsa", f.keyType)}
	}
	if r.Use, known = map[string]pki.Use{"": pki.ForServers, "server": pki.ForServers, "client": pki.ForClients, "both": pki.ForBoth}[f.use]; !known {
		return r, usageError{fmt.Errorf("--use %s: choose server, client or both", f.use)}
	}
	if f.lifetime.std() > longestLeaf {
		return r, usageError{fmt.Errorf("--lifetime %s: 825d is the most that clients take", f.lifetime.String())}
	}
	if f.serial != "" {
		if r.Serial, known = new(big.Int).SetString(strings.ReplaceAll(f.serial, ":", ""), 16); !known {
			return r, usageError{fmt.Errorf("--serial %s: hexadecimal digits are wanted", f.serial)}
		}
	}
	return r, nil
}

// longestLeaf is the most that Apple's clients take of an authority that the
// user added.
const longestLeaf = 825 * 24 * time.Hour

func certIssueCommand() *cobra.Command {
	var v vault
	var f leafFlags
	cmd := &cobra.Command{
		Use:   "issue HOST...",
		Short: "Issue a certificate of the local CA for use elsewhere",
		Long: `issue makes a key and a certificate of the local CA for these host names and IP
addresses, such as for a node: OUT.crt and OUT.key (mode 0600), which must not be
there yet. A copy of the certificate stays in the state folder: its serial number
is never given again, and a rotation of the CA knows who hangs on the old one.`,
		Args:              someHosts,
		ValidArgsFunction: completeHosts,
		RunE: func(cmd *cobra.Command, args []string) error {
			r, err := f.request(args)
			if err != nil {
				return err
			}
			store, err := v.open()
			if err != nil {
				return err
			}
			out := outName(f.out, args[0])
			if err := notThere(out+".crt", out+".key"); err != nil {
				return err
			}
			p, err := store.IssueElsewhere(r, time.Now())
			if err != nil {
				return err
			}
			if err := errors.Join(writeNew(out+".key", p.Key, secret, nameOthers), writeNew(out+".crt", p.Chain, public, nameOthers)); err != nil {
				return err
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "wrote %s.crt and %s.key: serial %x, until %s\n", out, out, p.Leaf.SerialNumber, p.Leaf.NotAfter.UTC().Format(time.DateOnly))
			return err
		},
	}
	v.flags(cmd)
	f.life(cmd)
	f.key(cmd)
	cmd.Flags().StringVar(&f.out, "out", "", "name of the two files without their endings (default: the first host)")
	return cmd
}

func certCSRCommand() *cobra.Command {
	var f leafFlags
	cmd := &cobra.Command{
		Use:   "csr HOST...",
		Short: "Make a key and a request with which another CA is asked for a certificate",
		Long: `csr writes OUT.csr, which you hand to the other CA, and OUT.key (mode 0600). What
it answers is served by 'certificates: [{name: …, chain: FILE, key: OUT.key}]'.`,
		Args:              someHosts,
		ValidArgsFunction: completeHosts,
		RunE: func(cmd *cobra.Command, args []string) error {
			r, err := f.request(args)
			if err != nil {
				return err
			}
			out := outName(f.out, args[0])
			if err := notThere(out+".csr", out+".key"); err != nil {
				return err
			}
			csr, key, err := pki.NewRequest(r)
			if err != nil {
				return err
			}
			if err := errors.Join(writeNew(out+".key", key, secret, nameOthers), writeNew(out+".csr", csr, public, nameOthers)); err != nil {
				return err
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "wrote %s.csr and %s.key\n", out, out)
			return err
		},
	}
	f.lifetime = span(model.DefaultLifetime)
	f.key(cmd)
	cmd.Flags().StringVar(&f.out, "out", "", "name of the two files without their endings (default: the first host)")
	return cmd
}

func someHosts(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return usageError{fmt.Errorf("%s takes at least one host name or IP address", cmd.CommandPath())}
	}
	return nil
}

// outName is the name of files for a host: a wildcard makes none.
func outName(out, host string) string {
	if out != "" {
		return out
	}
	return strings.NewReplacer("*", "any", ":", "_").Replace(host)
}

// nameOthers is what to do about files that are there.
const nameOthers = "Name others with --out"

// notThere sees to it that files can be made, before something is issued.
func notThere(files ...string) error {
	for _, f := range files {
		if _, err := os.Lstat(f); !errors.Is(err, fs.ErrNotExist) {
			return isThere(f, nameOthers)
		}
	}
	return nil
}
