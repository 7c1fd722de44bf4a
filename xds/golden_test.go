package xds_test

import (
	"bytes"
	"flag"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"

	"usher/envoy"
	"usher/model"
	"usher/xds"
	"usher/xds/pki"
	"usher/xds/pki/acme"
)

var update = flag.Bool("update", false, "rewrite the wanted translations")

// Each file of testdata is a cluster.yaml and the resources it becomes, or only
// those of the kinds that it names. The real Envoy takes all of them.
func TestTranslationsAreWhatTheySeem(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatal("no test data", err)
	}
	binary, err := envoy.Find(filepath.Join("..", ".tools", "envoy"))
	if err != nil {
		t.Fatalf("%v\nrun `make envoy` first", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			t.Parallel()
			golden(t, file, binary)
		})
	}
}

func golden(t *testing.T, file string, binary envoy.Binary) {
	archive, err := txtar.ParseFile(file)
	if err != nil {
		t.Fatal(err)
	}
	resources := translate(t, archive.Files[0].Data)
	if err := envoy.Validate(t.Context(), binary, resources.Static()); err != nil {
		t.Errorf("the real Envoy: %v", err)
	}
	shown := only(t, archive, resources)
	got, err := model.YAML(shown.Redacted().JSON())
	if err != nil {
		t.Fatal(err)
	}
	if *update {
		archive.Files = append(archive.Files[:wantedAt(archive)], txtar.File{Name: "resources.yaml", Data: got})
		if err := os.WriteFile(file, txtar.Format(archive), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(wanted(archive), string(got)); diff != "" {
		t.Errorf("-want +got (go test ./xds -update rewrites it)\n%s", diff)
	}
	if again := translate(t, archive.Files[0].Data); !bytes.Equal(again.Redacted().JSON(), resources.Redacted().JSON()) &&
		xds.Structural(again, resources) {
		t.Error("translated twice, two results")
	}
}

// wantedAt is where the resources stand in a file, behind cluster.yaml and the
// kinds.
func wantedAt(a *txtar.Archive) int {
	if len(a.Files) > 1 && a.Files[1].Name == "only" {
		return 2
	}
	return 1
}

func wanted(a *txtar.Archive) string {
	if at := wantedAt(a); at < len(a.Files) {
		return string(a.Files[at].Data)
	}
	return ""
}

// only leaves the kinds that a file names, each in a line; all where it names none.
func only(t *testing.T, a *txtar.Archive, r xds.Resources) xds.Resources {
	t.Helper()
	if wantedAt(a) == 1 {
		return r
	}
	var some xds.Resources
	for word := range strings.FieldsSeq(string(a.Files[1].Data)) {
		i := slices.IndexFunc(xds.Kinds(), func(k xds.Kind) bool { return k.String() == word })
		if i < 0 {
			t.Fatalf("there is no kind %q", word)
		}
		some[xds.Kind(i)] = r[xds.Kind(i)]
	}
	return some
}

// questions are those of a directory in the middle of an order.
func questions(t *testing.T, c model.Certificate) (open []acme.Challenge) {
	t.Helper()
	for _, h := range c.Hosts {
		switch {
		case c.ACME == nil:
		case c.ACME.Challenge == model.HTTP01:
			open = append(open, acme.Challenge{Host: h, Path: acme.PathPrefix + "token-of-" + h, Answer: "token-of-" + h + ".thumbprint"})
		default:
			open = append(open, acme.Challenge{Host: h, Pair: fixedPair(t)})
		}
	}
	return open
}

// translate gives every node's name the address 192.0.2.1 and every
// certificate a fixed text for a chain.
func translate(t *testing.T, file []byte) xds.Resources {
	t.Helper()
	c := parsed(t, string(file))
	return xds.Translate(c, material(t, c))
}

// material is that of a translation in these tests.
func material(t *testing.T, cluster *model.Cluster) xds.Material {
	t.Helper()
	m := xds.Material{Between: fixedPair(t), Pairs: map[string]pki.Pair{}, Roots: map[string][]byte{}, IPs: map[model.Address]netip.Addr{}}
	for _, c := range cluster.Certificates {
		m.Pairs[c.Name] = fixedPair(t)
		m.Challenges = append(m.Challenges, questions(t, c)...)
	}
	m.Clients = map[string][]byte{}
	for _, l := range cluster.Listeners {
		if l.Tracing != nil {
			m.IPs[l.Tracing.Collector] = netip.MustParseAddr("192.0.2.2")
		}
		if l.TLS != nil && l.TLS.Client != nil {
			m.Clients[l.Name] = fixedPair(t).Chain
		}
	}
	for _, p := range cluster.Pools {
		if p.TLS != nil && p.TLS.Verify == model.VerifyCA {
			m.Roots[p.Name] = fixedPair(t).Chain
		}
		for _, n := range p.Nodes {
			m.IPs[n.Address] = netip.MustParseAddr("192.0.2.1")
		}
	}
	return m
}

// fixedPair is a certificate that stays the same for ever, for the goldens.
func fixedPair(t *testing.T) pki.Pair {
	t.Helper()
	chain, err := os.ReadFile("testdata/server.crt")
	if err != nil {
		t.Fatal(err)
	}
	key, err := os.ReadFile("testdata/server.key")
	if err != nil {
		t.Fatal(err)
	}
	pair, err := pki.ParsePair(chain, key, time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC))
	if err != nil {
		t.Fatal(err)
	}
	return pair
}
