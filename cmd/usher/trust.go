package main

import (
	"fmt"

	"github.com/smallstep/truststore"
	"github.com/spf13/cobra"

	"usher/xds/pki"
)

func caTrustCommand() *cobra.Command {
	return trustCommand("trust", "Put the local CA into this system's trust store",
		`trust puts the local CA's certificate, during a rotation both, into the trust
store of this system (by update-ca-certificates or its like, and by sudo where
that is installed).`, "this system trusts the local CA now", true)
}

func caUntrustCommand() *cobra.Command {
	return trustCommand("untrust", "Take the local CA out of this system's trust store",
		"untrust takes out what 'usher ca trust' put in.", "this system no longer trusts the local CA", false)
}

func trustCommand(use, short, long, done string, install bool) *cobra.Command {
	var p places
	cmd := &cobra.Command{
		Use: use, Short: short, Long: long, Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := p.resolve(); err != nil {
				return err
			}
			store := pki.Store{Dir: p.state}
			cas, err := authorities(store)
			if err != nil {
				return err
			}
			gone, err := store.Retired()
			if err != nil {
				return err
			}
			if err := trust(cas, gone, install); err != nil {
				return fmt.Errorf("change the system's trust store (it takes root, or sudo): %w", err)
			}
			_, err = fmt.Fprintln(cmd.OutOrStdout(), done)
			return err
		},
	}
	p.flags(cmd)
	return cmd
}

// trust installs the authorities of now, or takes them out together with those
// that a rotation has retired.
func trust(cas pki.Authorities, gone []pki.Leaf, install bool) error {
	all, change := cas.Trusted(), truststore.Install
	if !install {
		all, change = append(all, gone...), truststore.Uninstall
	}
	for _, c := range all {
		if err := change(c); err != nil {
			return err
		}
	}
	return nil
}
