// Package sample writes cluster files of any size: the same ones for every
// benchmark, so that the figures of one step go with those of the next.
//
// Nothing but tests imports it.
package sample

import (
	"fmt"
	"strings"
)

// File is a cluster file with one listener and a route to each of its pools.
type File struct {
	Pools int
	Each  int    // nodes in each pool
	Port  uint16 // of the listener; 0 is 8443
	Node  uint16 // port of every node, each of which has an address of 127.0.0.0/8; 0 is 9443
	Pool  string // keys of every pool, "; " between them; empty is Sticky
}

// Sticky is a pool as the guide has it.
const Sticky = "sticky: {jvm_route: JSESSIONID}; tls: {verify: none}"

// Sizes are those that are measured.
func Sizes() []File {
	return []File{
		{Pools: 1, Each: 10}, {Pools: 5, Each: 20}, {Pools: 50, Each: 20}, {Pools: 500, Each: 20},
		{Pools: 1, Each: 100}, {Pools: 1, Each: 1000}, {Pools: 1, Each: 10_000}, {Pools: 1000, Each: 2},
	}
}

// Name is that of a benchmark.
func (f File) Name() string { return fmt.Sprintf("%d_nodes_%d_pools", f.Pools*f.Each, f.Pools) }

// Text is the file. A pool is called p0 and so on, its nodes p0n0 and so on.
func (f File) Text() string {
	var b strings.Builder
	fmt.Fprintf(&b, "listeners:\n  - name: https\n    address: 127.0.0.1:%d\n    hosts: [localhost]\n    tls: {certificate: server}\n    routes:\n", or(f.Port, 8443))
	for i := range f.Pools {
		fmt.Fprintf(&b, "      - {path: /p%d, pool: p%d}\n", i, i)
	}
	b.WriteString("pools:\n")
	for i := range f.Pools {
		f.pool(&b, i)
	}
	b.WriteString("certificates:\n  - {name: server, hosts: [localhost]}\n")
	return b.String()
}

func (f File) pool(b *strings.Builder, i int) {
	keys := f.Pool
	if keys == "" {
		keys = Sticky
	}
	fmt.Fprintf(b, "  - name: p%d\n", i)
	for key := range strings.SplitSeq(keys, "; ") {
		fmt.Fprintf(b, "    %s\n", key)
	}
	b.WriteString("    nodes:\n")
	for j := range f.Each {
		at := i*f.Each + j + 1
		fmt.Fprintf(b, "      - {name: p%dn%d, address: 127.%d.%d.%d:%d, weight: 1}\n", i, j, at>>16, at>>8&255, at&255, or(f.Node, 9443))
	}
}

// Reweigh is the text with another weight of one node.
func Reweigh(text string, node string, weight int) string {
	head, rest, _ := strings.Cut(text, "{name: "+node+",")
	line, tail, _ := strings.Cut(rest, "\n")
	line, _, _ = strings.Cut(line, "weight:")
	return head + "{name: " + node + "," + line + fmt.Sprintf("weight: %d}\n", weight) + tail
}

func or(port, otherwise uint16) uint16 {
	if port == 0 {
		return otherwise
	}
	return port
}
