package main

import (
	"bytes"
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"usher/xds/pki"
	"usher/xds/pki/keystore"
)

// export is what clients are given: the authorities to trust.
type export struct {
	places
	format       string
	into         bool
	passwordFile string
	alias        string
}

func caExportCommand() *cobra.Command {
	var e export
	cmd := &cobra.Command{
		Use:   "export [FILE]",
		Short: "Write what clients have to trust: PEM, DER, PKCS12 or JKS",
		Long: `export writes the local CA's certificate, during a rotation both, to FILE or to
standard output (PEM). The ending of FILE tells the format: .pem .crt .der .cer
.p12 .pfx .jks. A PKCS12 or JKS store needs --password-file, a file whose first
line is the store's password.

With --into, FILE is a store that is there already, such as WSO2's
client-truststore.jks: the CA is added, every other entry stays as it is.`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := e.resolve(); err != nil {
				return err
			}
			cas, err := authorities(pki.Store{Dir: e.state})
			if err != nil {
				return err
			}
			if len(args) == 0 {
				_, err = cmd.OutOrStdout().Write(cas.PEM())
				return err
			}
			said, err := e.write(args[0], cas)
			if err == nil {
				_, err = fmt.Fprintln(cmd.OutOrStdout(), said)
			}
			return err
		},
	}
	e.flags(cmd)
	cmd.Flags().StringVar(&e.format, "format", "", "pem, der, pkcs12 or jks (default: by the ending of FILE)")
	cmd.Flags().BoolVar(&e.into, "into", false, "add to the store FILE")
	cmd.Flags().StringVar(&e.passwordFile, "password-file", "", "file whose first line is the store's password")
	cmd.Flags().StringVar(&e.alias, "alias", "usher", "the entry's name in a store; the key's first digits are added")
	return cmd
}

func (e export) write(file string, cas pki.Authorities) (string, error) {
	password, err := readPassphrase(e.passwordFile)
	if err != nil {
		return "", err
	}
	if e.into {
		return e.add(file, password, cas)
	}
	format, err := keystore.ParseFormat(cmp.Or(e.format, strings.TrimPrefix(filepath.Ext(file), ".")))
	if err != nil {
		return "", usageError{fmt.Errorf("%s: %w, by --format or by the ending of FILE", file, err)}
	}
	text, err := keystore.TrustStore(format, e.entries(cas), password)
	if err != nil {
		return "", fmt.Errorf("%s: %w", file, withPassword(err))
	}
	err = writeNew(file, text, public, "Add to it by --into, or name another file")
	return fmt.Sprintf("wrote %s: %d certificates", file, len(cas.Trusted())), err
}

// add puts the authorities into a store that is there, in one rename.
func (e export) add(file string, password []byte, cas pki.Authorities) (string, error) {
	link := file
	file, err := filepath.EvalSymlinks(file)
	if err != nil {
		return "", err
	}
	before, err := os.ReadFile(file)
	if err != nil {
		return "", err
	}
	text := before
	for _, entry := range e.entries(cas) {
		if text, _, err = keystore.AddTrusted(text, password, entry); err != nil {
			return "", fmt.Errorf("%s: %w", file, withPassword(err))
		}
	}
	if bytes.Equal(text, before) {
		return link + " trusts the local CA already", nil
	}
	return "added the local CA to " + link, replaceAsItIs(file, text)
}

// replaceAsItIs gives a file another text in one step, and leaves owner and mode
// as they are: it is somebody else's.
func replaceAsItIs(file string, text []byte) error {
	info, err := os.Stat(file)
	if err != nil {
		return err
	}
	tmp := file + ".usher"
	if err := writeFile(tmp, text); err != nil {
		return err
	}
	defer os.Remove(tmp) //nolint:errcheck // gone already where all went well
	if owner, ok := info.Sys().(*syscall.Stat_t); ok {
		if err := os.Chown(tmp, int(owner.Uid), int(owner.Gid)); err != nil {
			return fmt.Errorf("keep the owner of %s: %w", file, err)
		}
	}
	if err := os.Chmod(tmp, info.Mode().Perm()); err != nil {
		return err
	}
	return os.Rename(tmp, file)
}

// entries are named apart: two authorities of a rotation may be in one store.
func (e export) entries(cas pki.Authorities) (all []keystore.Entry) {
	for _, c := range cas.Trusted() {
		alias := fmt.Sprintf("%s-%s", strings.ToLower(e.alias), strings.ToLower(strings.ReplaceAll(pki.Fingerprint(c)[:11], ":", "")))
		all = append(all, keystore.Entry{Alias: alias, Certificate: c})
	}
	return all
}

func withPassword(err error) error { return hint(err, "name a file that holds it by --password-file") }
