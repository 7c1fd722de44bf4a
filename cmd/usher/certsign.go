package main

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"usher/model"
	"usher/xds/pki"
	"usher/xds/pki/keystore"
)

func certSignCommand() *cobra.Command {
	var v vault
	var f leafFlags
	var allow []string
	cmd := &cobra.Command{
		Use:   "sign FILE",
		Short: "Sign a request of a key that is elsewhere, such as a node's own",
		Long: `sign makes a certificate of the local CA for the key of a PKCS#10 request, such as
keytool -certreq writes it. Its names must be allowed: by --allow (also
*.example.org), or because they stand in the cluster file as a node's address or
a listener's host. Nothing else of the request goes into the certificate.`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			r, err := f.request(nil)
			if err != nil {
				return err
			}
			store, err := v.open()
			if err != nil {
				return err
			}
			text, err := os.ReadFile(args[0])
			if err != nil {
				return err
			}
			out := cmp.Or(f.out, strings.TrimSuffix(args[0], filepath.Ext(args[0]))+".crt")
			if err := notThere(out); err != nil {
				return err
			}
			p, err := store.Sign(text, r, append(allow, ownHosts(v.config)...), time.Now())
			if err != nil {
				return err
			}
			if err := writeNew(out, p.Chain, public, nameOthers); err != nil {
				return err
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "wrote %s for %s: serial %x, until %s\n", out, strings.Join(pki.Names(p.Leaf), ", "), p.Leaf.SerialNumber, p.Leaf.NotAfter.UTC().Format(time.DateOnly))
			return err
		},
	}
	v.flags(cmd)
	f.life(cmd)
	cmd.Flags().StringSliceVar(&allow, "allow", nil, "a host name, *.NAME or IP address that the request may be for; may be repeated")
	cmd.Flags().StringVar(&f.out, "out", "", "the certificate's file (default: FILE with the ending .crt)")
	return cmd
}

// ownHosts are those of the cluster file; none where there is no good file.
func ownHosts(config string) (hosts []string) {
	data, err := os.ReadFile(config)
	if err != nil {
		return nil
	}
	c, problems := model.Parse(config, data)
	if len(problems) > 0 {
		return nil
	}
	return hostsOf(c)
}

// hostsOf are the names and addresses of the listeners and nodes, sorted.
func hostsOf(c *model.Cluster) (hosts []string) {
	for _, l := range c.Listeners {
		hosts = append(hosts, l.Hosts...)
	}
	for _, p := range c.Pools {
		for _, n := range p.Nodes {
			hosts = append(hosts, n.Address.Host)
		}
	}
	slices.Sort(hosts)
	return slices.Compact(slices.DeleteFunc(hosts, func(h string) bool { return h == "*" }))
}

func certImportCommand() *cobra.Command {
	var p places
	var chain, key, store, passphrase string
	cmd := &cobra.Command{
		Use:   "import NAME",
		Short: "Bring a certificate and its key here, from PEM, PKCS12 or JKS",
		Long: `import reads a certificate with its chain and key, checks that they fit, and keeps
them in the state folder, the key without passphrase at mode 0600. It prints the
line for cluster.yaml.`,
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: firstOnly(completeCertificates),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := p.resolve(); err != nil {
				return err
			}
			if (store == "") == (chain == "") {
				return usageError{errors.New("name --chain and --key, or --store")}
			}
			words, err := readPassphrase(passphrase)
			if err != nil {
				return err
			}
			pair, err := readForeign(chain, key, store, words)
			if err != nil {
				return err
			}
			dir := filepath.Join(p.state, "imported")
			if err := (pki.Store{Dir: p.state}).Import(args[0], pair); errors.Is(err, fs.ErrExist) {
				return fmt.Errorf("a certificate %s was imported before; it stays as it is. Move it away from %s, or choose another name", args[0], dir)
			} else if err != nil {
				return err
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "kept a certificate for %s, %d days left. In cluster.yaml:\n\n  - {name: %s, chain: %s, key: %s}\n",
				strings.Join(pki.Names(pair.Leaf), ", "), pki.DaysLeft(pair.Leaf, time.Now()), args[0],
				p.relative(filepath.Join(dir, args[0]+".crt")), p.relative(filepath.Join(dir, args[0]+".key")))
			return err
		},
	}
	p.flags(cmd)
	cmd.Flags().StringVar(&chain, "chain", "", "PEM file of the certificate and those that issued it")
	cmd.Flags().StringVar(&key, "key", "", "PEM file of the key (default: it is in the chain's file)")
	cmd.Flags().StringVar(&store, "store", "", "PKCS12 or JKS file with both")
	passphraseFlag(cmd, &passphrase, "file whose first line is the passphrase of the key or the store")
	return cmd
}

// relative is a path as cluster.yaml names it best.
func (p places) relative(path string) string {
	if rel, err := filepath.Rel(filepath.Dir(p.config), path); err == nil {
		return rel
	}
	return path
}

// readForeign reads a pair in whatever form it comes.
func readForeign(chain, key, store string, secret []byte) (pki.Pair, error) {
	file := cmp.Or(store, chain)
	c, err := readStore(file, secret)
	if err != nil {
		return pki.Pair{}, err
	}
	keys := c
	if key != "" {
		if keys, err = readStore(key, secret); err != nil {
			return pki.Pair{}, err
		}
	}
	text, err := keys.KeyPEM()
	if err != nil {
		return pki.Pair{}, fmt.Errorf("%s: %w", cmp.Or(key, file), err)
	}
	return pki.ParsePair(c.ChainPEM(), text, time.Now())
}

func readStore(file string, secret []byte) (keystore.Contents, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return keystore.Contents{}, err
	}
	c, err := keystore.Read(data, secret)
	if err != nil {
		return c, fmt.Errorf("%s: %w", file, hint(err, "name a file that holds it by --passphrase-file"))
	}
	return c, nil
}
