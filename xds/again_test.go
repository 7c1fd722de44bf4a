package xds_test

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"
	"google.golang.org/protobuf/proto"

	"usher/model"
	"usher/model/sample"
	"usher/xds"
)

// parsed is a file without a fault.
func parsed(t testing.TB, text string) *model.Cluster {
	t.Helper()
	c, problems := model.Parse("cluster.yaml", []byte(text))
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	return c
}

// equal demands that two translations have the same resources.
func equal(t *testing.T, want, got xds.Resources) {
	t.Helper()
	if d := xds.Differences(want, got); len(d) > 0 {
		t.Fatalf("with the past it is another translation: %v", d)
	}
}

func TestThePastChangesNothingOfATranslation(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatal("no test data", err)
	}
	var past *xds.Past
	for range 2 { // from each file to the next, and back to the first
		for _, file := range files {
			archive, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			c := parsed(t, string(archive.Files[0].Data))
			m := material(t, c)
			var r xds.Resources
			r, past = xds.Again(past, c, m)
			equal(t, xds.Translate(c, m), r)
		}
	}
}

// edits are what may happen to a file of three pools, and to what is known of its
// nodes.
var edits = []func(text string, m *xds.Material) string{
	func(text string, _ *xds.Material) string {
		return sample.Reweigh(text, fmt.Sprintf("p%dn%d", rand.IntN(3), rand.IntN(4)), 1+rand.IntN(3))
	},
	func(text string, _ *xds.Material) string {
		return strings.Replace(text, "weight: 1}", "weight: 1, state: drain}", 1)
	},
	func(text string, _ *xds.Material) string {
		return strings.Replace(text, "weight: 1, state: drain}", "weight: 1, state: disabled}", 1)
	},
	func(text string, _ *xds.Material) string {
		return strings.Replace(text, ", state: disabled}", "}", 1)
	},
	func(text string, _ *xds.Material) string {
		return strings.Replace(text, "{path: /p1, pool: p1}", "{path: /p1, pool: p1, timeout: 7s}", 1)
	},
	func(text string, _ *xds.Material) string {
		return strings.Replace(text, "{path: /p1, pool: p1, timeout: 7s}", "{path: /p1, pool: p2}", 1)
	},
	func(text string, _ *xds.Material) string {
		return strings.Replace(text, "{path: /p1, pool: p2}", "{path: /p1, pool: p1}", 1)
	},
	func(text string, _ *xds.Material) string {
		if strings.Contains(text, "path: /new") {
			return strings.Replace(text, "      - {path: /new, pool: p0, sticky: false, balance: random}\n", "", 1)
		}
		return strings.Replace(text, "    routes:\n", "    routes:\n      - {path: /new, pool: p0, sticky: false, balance: random}\n", 1)
	},
	func(text string, _ *xds.Material) string {
		if strings.Contains(text, "reverse: {}") {
			return strings.Replace(text, "    reverse: {}\n", "", 1)
		}
		return strings.Replace(text, "  - name: p2\n", "  - name: p2\n    reverse: {}\n", 1)
	},
	func(text string, _ *xds.Material) string {
		if strings.Contains(text, "access_log") {
			return strings.Replace(text, "    access_log: {}\n", "", 1)
		}
		return strings.Replace(text, "    tls: {certificate: server}\n", "    tls: {certificate: server}\n    access_log: {}\n", 1)
	},
	func(text string, m *xds.Material) string {
		of := xds.NodeOf{Pool: "p0", Node: "p0n1"}
		m.Draining = map[xds.NodeOf]bool{of: !m.Draining[of]}
		return text
	},
	func(text string, m *xds.Material) string {
		of := xds.NodeOf{Pool: "p1", Node: "p1n1"}
		m.Closing = map[xds.NodeOf]bool{of: !m.Closing[of]}
		return text
	},
	func(text string, m *xds.Material) string {
		ip := netip.AddrFrom4([4]byte{192, 0, 2, byte(rand.IntN(3))})
		a := model.Address{Host: "node.example", Port: 9443}
		m.IPs, m.Names = map[model.Address]netip.Addr{a: ip}, map[model.Address][]netip.Addr{a: {ip}}
		return strings.Replace(text, "127.0.0.9:9443", "node.example:9443", 1)
	},
}

func TestOneChangeAfterAnotherIsTranslatedAsIfItWereTheFirst(t *testing.T) {
	text := sample.File{Pools: 3, Each: 4}.Text()
	var m xds.Material
	var past *xds.Past
	for range 300 {
		text = edits[rand.IntN(len(edits))](text, &m)
		c := parsed(t, text)
		var r xds.Resources
		r, past = xds.Again(past, c, m)
		equal(t, xds.Translate(c, m), r)
	}
}

func TestWhatIsTheSameIsTheSameMessage(t *testing.T) {
	text := sample.File{Pools: 3, Each: 4}.Text()
	was, past := xds.Again(nil, parsed(t, text), xds.Material{})
	is, _ := xds.Again(past, parsed(t, sample.Reweigh(text, "p1n2", 3)), xds.Material{})
	var changed []string
	for _, k := range xds.Kinds() {
		for name, m := range is[k] {
			if !same(m, was[k][name]) {
				changed = append(changed, k.String()+" "+name)
			}
		}
	}
	if fmt.Sprint(changed) != "[endpoints p1]" {
		t.Errorf("one weight makes %v anew", changed)
	}
}

func same(a, b proto.Message) bool { return a == b }
