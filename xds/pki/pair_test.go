package pki

import (
	"bytes"
	"crypto/tls"
	"encoding/pem"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"
)

// pairCase is one file of testdata/pair: its time in the comment, then chain,
// key and want.
type pairCase struct {
	name, file string
	archive    *txtar.Archive
	now        time.Time
}

func (c pairCase) chain() []byte { return c.archive.Files[0].Data }
func (c pairCase) key() []byte   { return c.archive.Files[1].Data }
func (c pairCase) want() *[]byte { return &c.archive.Files[2].Data }

func pairCases(t testing.TB) []pairCase {
	files, err := filepath.Glob("testdata/pair/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatal("no cases", err)
	}
	var all []pairCase
	for _, file := range files {
		a, err := txtar.ParseFile(file)
		if err != nil {
			t.Fatal(err)
		}
		c := pairCase{name: strings.TrimSuffix(filepath.Base(file), ".txtar"), file: file, archive: a}
		if c.now, err = time.Parse("now: 2006-01-02T15:04:05Z\n", string(a.Comment)); err != nil {
			t.Fatal(err)
		}
		all = append(all, c)
	}
	return all
}

func TestParsePair(t *testing.T) {
	for _, c := range pairCases(t) {
		t.Run(c.name, func(t *testing.T) {
			got := told(ParsePair(c.chain(), c.key(), c.now))
			if *update {
				*c.want() = []byte(got)
				write(t, c.file, txtar.Format(c.archive))
			}
			if diff := cmp.Diff(string(*c.want()), got); diff != "" {
				t.Errorf("-want +got\n%s", diff)
			}
		})
	}
}

// told is the outcome as an operator reads it.
func told(p Pair, err error) string {
	var text strings.Builder
	for _, f := range Faults(err) {
		fmt.Fprintf(&text, "%s: %s\n", f.In, f.What)
		if f.Hint != "" {
			fmt.Fprintf(&text, "    hint: %s\n", f.Hint)
		}
	}
	if err == nil {
		fmt.Fprintf(&text, "%s, %d in the chain\n", named(p.Leaf), bytes.Count(p.Chain, []byte("BEGIN CERTIFICATE")))
	}
	return text.String()
}

func TestDERIsNamedAsSuch(t *testing.T) {
	p := must[Pair](t)(authority(t).Issue(Request{Hosts: []string{"a"}, Lifetime: day}, noon))
	key, _ := pem.Decode(p.Key)
	got := told(ParsePair(p.Leaf.Raw, key.Bytes, noon))
	for _, want := range []string{"chain: the file is DER or PKCS#12, not PEM", "key: the file is DER or PKCS#12, not PEM", "openssl pkcs12"} {
		if !strings.Contains(got, want) {
			t.Errorf("%q is missing in\n%s", want, got)
		}
	}
}

func TestLoadPairNamesWhatItCannotRead(t *testing.T) {
	dir := t.TempDir()
	pipe, large := filepath.Join(dir, "pipe"), filepath.Join(dir, "large")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	write(t, large, make([]byte, maxFile+1))
	for file, want := range map[string]string{
		filepath.Join(dir, "none"): "no such file or directory",
		dir:                        "not a regular file",
		pipe:                       "not a regular file",
		large:                      "larger than 1048576 bytes",
	} {
		got := told(LoadPair(file, file, noon))
		wanted := fmt.Sprintf("chain: cannot read %[1]s: %[2]s\nkey: cannot read %[1]s: %[2]s\n", file, want)
		if diff := cmp.Diff(wanted, got); diff != "" {
			t.Errorf("-want +got\n%s", diff)
		}
	}
}

func TestLoadPairReadsOneFileForBoth(t *testing.T) {
	p := must[Pair](t)(authority(t).Issue(Request{Hosts: []string{"a"}, Lifetime: day}, noon))
	file := at(t, "both.pem", append(p.Key, p.Chain...))
	got := must[Pair](t)(LoadPair(file, file, noon))
	if !bytes.Equal(got.Chain, p.Chain) || !bytes.Equal(got.Key, p.Key) {
		t.Error("chain and key are not taken apart")
	}
	if _, err := os.Stat(file); err != nil {
		t.Error(err)
	}
}

// FuzzParsePair holds that whatever is accepted can serve TLS, and that no
// private key slips into the chain, which is shown to strangers.
func FuzzParsePair(f *testing.F) {
	for _, c := range pairCases(f) {
		f.Add(c.chain(), c.key())
	}
	now := time.Date(2027, 6, 1, 0, 0, 0, 0, time.UTC)
	f.Fuzz(func(t *testing.T, chain, key []byte) {
		p, err := ParsePair(chain, key, now)
		if err != nil {
			if len(Faults(err)) == 0 {
				t.Fatalf("an error without a fault: %v", err)
			}
			return
		}
		if _, err := tls.X509KeyPair(p.Chain, p.Key); err != nil {
			t.Fatalf("accepted, but does not serve: %v", err)
		}
		if bytes.Contains(p.Chain, []byte("PRIVATE KEY")) {
			t.Fatal("a private key in the chain")
		}
	})
}
