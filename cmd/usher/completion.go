package main

import (
	"github.com/spf13/cobra"

	"usher/model"
)

// completionCommand adds the library's own verb, which refuses what it does not
// know as the others do.
func completionCommand(root *cobra.Command) {
	root.InitDefaultCompletionCmd()
	for _, c := range root.Commands() {
		if c.Name() == "completion" {
			c.Args, c.RunE = noArguments, func(cmd *cobra.Command, _ []string) error { return cmd.Help() }
		}
	}
}

// complete says for all verbs below what a shell may offer. A verb names its
// arguments itself, by ValidArgsFunction, such as completeNodes; what the value of
// a flag may be follows from the flag's name.
func complete(cmd *cobra.Command) {
	if cmd.ValidArgsFunction == nil && cmd.Use == cmd.Name() {
		cmd.ValidArgsFunction = cobra.NoFileCompletions // it takes no argument
	}
	for name, values := range flagValues() {
		if cmd.Flags().Lookup(name) != nil {
			cobra.CheckErr(cmd.RegisterFlagCompletionFunc(name, values)) // it is there, and asked once
		}
	}
	for _, c := range cmd.Commands() {
		complete(c)
	}
}

// flagValues are what flags take that are neither switches nor names of any file.
func flagValues() map[string]cobra.CompletionFunc {
	folder := cobra.FixedCompletions(nil, cobra.ShellCompDirectiveFilterDirs)
	return map[string]cobra.CompletionFunc{
		"config": completeFile, "state": folder, "folder": folder,
		"preset":   oneOf(model.PresetNames()...),
		"key-type": oneOf("ecdsa", "rsa"),
		"use":      oneOf("server", "client", "both"),
		"format":   oneOf("pem", "der", "pkcs12", "jks"),
		"pool":     completePools, "node": completeNodes, "certificate": completeCertificates,
		"allow": completeHosts,
		"name":  oneOf(), "alias": oneOf(), "serial": oneOf(), "lifetime": oneOf("30d", "90d", "365d"),
		"as": oneOf("active", "drain", "disabled", "standby", "spare"), "weight": oneOf(),
		"method": oneOf("GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"),
		"cookie": oneOf(), "header": oneOf(), "from": oneOf(),
		"xds": oneOf(), "console": oneOf(), "advertise": oneOf(), "figures-port": oneOf(),
		"role": oneOf("operator", "viewer"), "expires": oneOf("30d", "90d", "365d"), "console-certificate": completeCertificates,
	}
}

// firstOnly offers nothing behind the first argument.
func firstOnly(first cobra.CompletionFunc) cobra.CompletionFunc {
	return func(cmd *cobra.Command, args []string, begun string) ([]cobra.Completion, cobra.ShellCompDirective) {
		if len(args) > 0 {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		return first(cmd, args, begun)
	}
}

func oneOf(words ...string) cobra.CompletionFunc {
	return cobra.FixedCompletions(words, cobra.ShellCompDirectiveNoFileComp)
}

// completeFile offers cluster files.
func completeFile(*cobra.Command, []string, string) ([]cobra.Completion, cobra.ShellCompDirective) {
	return []string{"yaml", "yml"}, cobra.ShellCompDirectiveFilterFileExt
}
