package main

import (
	"cmp"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"usher/model"
)

// completePools offers the pools of the cluster file in use that are not named yet.
func completePools(cmd *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
	var all []cobra.Completion
	for _, p := range clusterInUse(cmd).Pools {
		all = append(all, cobra.CompletionWithDesc(p.Name, fmt.Sprintf("%s, %d nodes", p.Balance, len(p.Nodes))))
	}
	return others(all, args)
}

// completeNodes offers the nodes of the cluster file in use that are not named yet,
// those of one pool where an argument before or --pool names it.
func completeNodes(cmd *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
	pools := clusterInUse(cmd).Pools
	said := args
	if f := cmd.Flag("pool"); f != nil {
		said = append(slices.Clone(args), f.Value.String())
	}
	if at := slices.IndexFunc(pools, func(p model.Pool) bool { return slices.Contains(said, p.Name) }); at >= 0 {
		pools = pools[at : at+1]
	}
	var all []cobra.Completion
	for _, p := range pools {
		for _, n := range p.Nodes {
			all = append(all, cobra.CompletionWithDesc(n.Name, fmt.Sprintf("%s in %s, %s", n.State, p.Name, n.Address)))
		}
	}
	return others(all, args)
}

// completeCertificates offers the certificates of the cluster file in use that are
// not named yet, also those that it leaves to the local CA.
func completeCertificates(cmd *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
	var all []cobra.Completion
	for _, c := range clusterInUse(cmd).Certificates {
		all = append(all, cobra.CompletionWithDesc(c.Name, certificateSource(c)))
	}
	return others(all, args)
}

func certificateSource(c model.Certificate) string {
	switch {
	case c.ACME != nil:
		return "from " + c.ACME.Directory
	case c.Chain != "":
		return "from " + c.Chain
	}
	return "by the local CA"
}

// completeHosts offers the hosts of the nodes and listeners.
func completeHosts(cmd *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
	return others(hostsOf(clusterInUse(cmd)), args)
}

// others are those that are not among the arguments yet, each name once.
func others(all []cobra.Completion, args []string) ([]cobra.Completion, cobra.ShellCompDirective) {
	seen := map[string]bool{}
	for _, a := range args {
		seen[a] = true
	}
	return slices.DeleteFunc(all, func(c cobra.Completion) bool {
		name, _, _ := strings.Cut(c, "\t")
		twice := seen[name]
		seen[name] = true
		return twice || name == ""
	}), cobra.ShellCompDirectiveNoFileComp
}

// clusterInUse is what a verb's --config names, also where it has faults; what was
// accepted last where it can't be read at all.
func clusterInUse(cmd *cobra.Command) *model.Cluster {
	p := places{config: flagText(cmd, "config", defaultConfig), state: flagText(cmd, "state", "")}
	if err := p.resolve(); err != nil {
		return &model.Cluster{}
	}
	return cmp.Or(readable(p.config), readable(p.accepted()), &model.Cluster{})
}

func flagText(cmd *cobra.Command, name, otherwise string) string {
	if f := cmd.Flag(name); f != nil {
		return f.Value.String()
	}
	return otherwise
}

// readable is what a file says, nil where it says nothing that can be understood.
func readable(file string) *model.Cluster {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil
	}
	c, _ := model.Parse(file, data)
	return c
}
