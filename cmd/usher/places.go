package main

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"usher/envoy"
)

const defaultConfig = "cluster.yaml"

// Where an installed service has its file, and what it keeps (FHS 3.0, 3.7, 5.8).
const (
	serviceConfig = "/etc/usher/cluster.yaml"
	serviceState  = "/var/lib/usher"
)

// places are where things are: the file, and the folder with everything that
// usher keeps.
type places struct {
	config string
	state  string
}

func (p *places) flags(cmd *cobra.Command) {
	cmd.Flags().StringVarP(&p.config, "config", "c", defaultConfig, "the cluster file")
	cmd.Flags().StringVar(&p.state, "state", "", "folder for what usher keeps: CA, certificates, last accepted file and addresses (default "+serviceState+" for "+serviceConfig+", else .usher beside the cluster file)")
}

// resolve makes both absolute.
func (p *places) resolve() (err error) {
	if p.config, err = absolute(p.config); err != nil {
		return err
	}
	switch {
	case p.state == "" && p.config == serviceConfig:
		p.state = serviceState
	case p.state == "":
		p.state = filepath.Join(filepath.Dir(p.config), ".usher")
	}
	p.state, err = absolute(p.state)
	return err
}

func absolute(path string) (string, error) {
	abs, err := filepath.Abs(path)
	if err != nil {
		return "", fmt.Errorf("find %s: %w", path, err)
	}
	return abs, nil
}

// The files of the state folder that this package owns.
func (p places) accepted() string      { return filepath.Join(p.state, "accepted.yaml") }
func (p places) lastAddresses() string { return filepath.Join(p.state, "addresses.json") }
func (p places) xdsSocket() string     { return filepath.Join(p.state, "xds.sock") }
func (p places) apiSocket() string     { return filepath.Join(p.state, "usher.sock") }
func (p places) adminSocket() string   { return filepath.Join(p.state, envoy.AdminSocket) }
func (p places) xdsFolder() string     { return filepath.Join(p.state, "xds") }

// makeState creates the state folder for its owner alone.
func (p places) makeState() error {
	if err := os.MkdirAll(p.state, 0o700); err != nil {
		return fmt.Errorf("make the state folder: %w", err)
	}
	return nil
}

// writeFile replaces a file in one step: a reader sees the old or the new one,
// and a full disk leaves the old.
func writeFile(path string, data []byte) (err error) {
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*") // 0600
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = os.Remove(f.Name())
		}
	}()
	if _, err = f.Write(data); err == nil {
		err = f.Sync()
	}
	if closing := f.Close(); err == nil {
		err = closing
	}
	if err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}
