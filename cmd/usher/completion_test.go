package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/cobra"
)

const someCluster = `listeners:
  - {name: https, address: ":8443", hosts: [is.example.org], tls: {}, routes: [{path: /, pool: identity}]}
pools:
  - {name: identity, sticky: {jvm_route: JSESSIONID}, nodes: [{name: isNode1, address: "is1:9443"}, {name: isNode2, address: "is2:9443", state: drain}]}
  - {name: other, balance: random, nodes: [{name: isNode1, address: "o1:80"}, {name: third, address: "o3:80"}]}
certificates:
  - {name: server, chain: a.pem, key: a.key}
`

// completed is what a shell gets for a command line: the words, and what else it
// may offer.
func completed(t *testing.T, root *cobra.Command, line ...string) string {
	t.Helper()
	var out bytes.Buffer
	root.SetOut(&out)
	root.SetErr(&out)
	root.SetArgs(append([]string{cobra.ShellCompNoDescRequestCmd}, line...))
	if err := root.Execute(); err != nil {
		t.Fatal(err)
	}
	words, _, _ := strings.Cut(out.String(), "\nCompletion ended")
	return strings.ReplaceAll(words, "\n", " ")
}

func TestNamesOfTheFileAreOffered(t *testing.T) {
	config := filepath.Join(t.TempDir(), "c.yaml")
	if err := os.WriteFile(config, []byte(someCluster), 0o600); err != nil {
		t.Fatal(err)
	}
	for line, want := range map[string]string{
		"cert import ":                         "server https :4",
		"cert import server ":                  ":4",
		"cert issue ":                          "is.example.org is1 is2 o1 o3 :4",
		"cert issue is1 ":                      "is.example.org is2 o1 o3 :4",
		"cert sign --allow ":                   "is.example.org is1 is2 o1 o3 :4",
		"show --preset ":                       "wso2-is wso2 :4",
		"cert csr --key-type ":                 "ecdsa rsa :4",
		"status --state ":                      ":16",
		"check ":                               "yaml yml :8",
		"status ":                              ":4",
		"node drain --config CONFIG isNode1 ":  "isNode2 third :4",
		"node weight --config CONFIG isNode1 ": ":4",
		"node add --config CONFIG --as ":       "active drain disabled standby spare :4",
		"node list --config CONFIG --pool ":    "identity other :4",
		"diff ":                                "yaml yml :8",
		"names --config CONFIG ":               "isNode1 isNode2 third :4",
		"names --config CONFIG isNode1 ":       "isNode2 third :4",
		"names --config CONFIG --pool ":        "identity other :4",
		"names --config CONFIG --pool other ":  "isNode1 third :4",
		"names --config CONFIG identity ":      "isNode1 isNode2 :4",
		"names --config CONFIG --certificate":  "--certificate :4",
		"names --config /nowhere/c.yaml ":      ":4",
	} {
		words := strings.Split(strings.ReplaceAll(line, "CONFIG", config), " ")
		if words[0] == "cert" {
			words = append([]string{words[0], words[1], "--config", config}, words[2:]...)
		}
		if words[1] == "csr" {
			words = append(words[:2], words[4:]...) // it reads no file
		}
		if diff := cmp.Diff(want, completed(t, rootWithNames(), words...)); diff != "" {
			t.Errorf("%s: -want +got\n%s", line, diff)
		}
	}
}

// rootWithNames has one verb more, for all kinds of names.
func rootWithNames() *cobra.Command {
	var p places
	names := &cobra.Command{Use: "names NODE...", ValidArgsFunction: completeNodes, Run: func(*cobra.Command, []string) {}}
	p.flags(names)
	names.Flags().String("pool", "", "")
	names.Flags().String("certificate", "", "")
	root := rootCommand()
	root.AddCommand(names)
	complete(names)
	return root
}

// A file that is being edited may be no YAML at all for a moment.
func TestWhatWasAcceptedLastIsOfferedWhereTheFileIsBroken(t *testing.T) {
	p := places{config: filepath.Join(t.TempDir(), "cluster.yaml")}
	for _, file := range []struct{ path, text string }{{p.config, "listeners: ["}, {filepath.Join(filepath.Dir(p.config), ".usher", "accepted.yaml"), someCluster}} {
		if err := os.MkdirAll(filepath.Dir(file.path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file.path, []byte(file.text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	got := completed(t, rootWithNames(), "names", "--config", p.config, "--pool", "")
	if diff := cmp.Diff("identity other :4", got); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
}

// Each verb says what its arguments are, or that it has none: no shell offers files
// where none belong.
func TestEveryVerbSaysWhatItTakes(t *testing.T) {
	var walk func(*cobra.Command)
	walk = func(c *cobra.Command) {
		if c.Use != c.Name() && c.ValidArgsFunction == nil && !strings.Contains(c.Use, "FILE") {
			t.Errorf("%s: what are its arguments?", c.CommandPath())
		}
		for _, sub := range c.Commands() {
			walk(sub)
		}
	}
	walk(rootCommand())
}
