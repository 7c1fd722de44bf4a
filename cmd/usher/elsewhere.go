package main

import (
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"usher/envoy"
	"usher/model"
	"usher/xds/pki"
)

// elsewhere is what an Envoy needs that usher does not start.
type elsewhere struct {
	places
	xds     string // HOST:PORT where it reaches the xDS port
	figures uint16 // the port at which it shows its figures; 0 for none
	mutual  bool   // over mutual TLS; otherwise over the socket
}

// write leaves it in STATE/xds: the only folder that such an Envoy may see.
func (e *elsewhere) write(internal *pki.Internal, now time.Time) (renew time.Time, err error) {
	if err := os.MkdirAll(e.xdsFolder(), 0o700); err != nil {
		return time.Time{}, err
	}
	if internal != nil {
		if renew, _, err = internal.WriteClient(e.xdsFolder(), now); err != nil {
			return time.Time{}, err
		}
	}
	text, err := e.bootstrap(e.xdsFolder())
	if err != nil {
		return time.Time{}, err
	}
	return renew, writeFile(filepath.Join(e.xdsFolder(), "bootstrap.yaml"), text)
}

func (e *elsewhere) bootstrap(folder string) ([]byte, error) {
	b := envoy.Bootstrap{Node: "usher", Socket: e.xdsSocket()}
	if e.mutual {
		b.Socket, b.Address, b.Folder, b.Figures = "", e.xds, folder, e.figures
	}
	text, err := b.JSON()
	if err != nil {
		return nil, err
	}
	return model.YAML(text)
}

func figuresFlag(cmd *cobra.Command, port *uint16) {
	cmd.Flags().Uint16Var(port, "figures-port", 0, "port at which such an Envoy shows its figures to usher, by mutual TLS; 0 for none")
}

func bootstrapCommand() *cobra.Command {
	var p places
	var address, folder string
	var port uint16
	cmd := &cobra.Command{
		Use:   "bootstrap",
		Short: "Print the bootstrap for an Envoy that is started elsewhere",
		Long: `bootstrap prints what 'envoy -c' needs to be led by 'usher serve'. With a
loopback address the Envoy uses the socket in the state folder; with any other
it proves itself with the certificates of STATE/xds, which 'usher serve' writes.`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := p.resolve(); err != nil {
				return err
			}
			local, err := loopback(address)
			if err != nil {
				return err
			}
			if port != 0 && local {
				return usageError{fmt.Errorf("--figures-port %d: an Envoy that reaches usher by %s shows no figures", port, address)}
			}
			e := elsewhere{p, address, port, !local}
			if folder == "" {
				folder = p.xdsFolder()
			}
			text, err := e.bootstrap(folder)
			if err != nil {
				return fmt.Errorf("make the bootstrap: %w", err)
			}
			_, err = cmd.OutOrStdout().Write(text)
			return err
		},
	}
	p.flags(cmd)
	cmd.Flags().StringVar(&address, "xds", "127.0.0.1:18000", "HOST:PORT by which the Envoy reaches usher")
	figuresFlag(cmd, &port)
	cmd.Flags().StringVar(&folder, "folder", "", "where the Envoy finds ca.crt, client.crt and client.key (default STATE/xds)")
	return cmd
}
