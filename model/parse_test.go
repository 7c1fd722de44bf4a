package model

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"
)

var update = flag.Bool("update", false, "rewrite what the tests want")

// cases runs a test on every file of a folder. Its second part is what is
// wanted, and -update rewrites it.
func cases(t *testing.T, pattern string, outcome func(file []byte) string) {
	t.Helper()
	files, err := filepath.Glob(pattern)
	if err != nil || len(files) == 0 {
		t.Fatal("no test data", err)
	}
	for _, path := range files {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".txtar"), func(t *testing.T) {
			archive, err := txtar.ParseFile(path)
			if err != nil {
				t.Fatal(err)
			}
			got := outcome(archive.Files[0].Data)
			if *update {
				archive.Files[1].Data = []byte(got)
				if err := os.WriteFile(path, txtar.Format(archive), 0o600); err != nil {
					t.Fatal(err)
				}
				return
			}
			if diff := cmp.Diff(string(archive.Files[1].Data), got); diff != "" {
				t.Errorf("-want +got\n%s", diff)
			}
		})
	}
}

func TestEveryFaultHasItsPlaceAndItsHint(t *testing.T) {
	cases(t, "testdata/broken/*.txtar", func(file []byte) string {
		_, problems := Parse("cluster.yaml", file)
		if len(problems) == 0 {
			return "no problem at all\n"
		}
		return problems.Error() + "\n"
	})
}

func TestWhatIsLeftOutIsFilledIn(t *testing.T) {
	cases(t, "testdata/good/*.txtar", func(file []byte) string {
		c, problems := Parse("cluster.yaml", file)
		if len(problems) > 0 {
			return problems.Error() + "\n"
		}
		var b strings.Builder
		for _, l := range c.Listeners {
			fmt.Fprintf(&b, "listener %s\n", said(l, "Routes"))
			for _, r := range l.Routes {
				fmt.Fprintf(&b, "  route %s\n", said(r))
			}
		}
		for _, p := range c.Pools {
			fmt.Fprintf(&b, "pool %s\n", said(p, "Nodes"))
			for _, n := range p.Nodes {
				fmt.Fprintf(&b, "  node %s\n", said(n))
			}
		}
		for _, cert := range c.Certificates {
			fmt.Fprintf(&b, "certificate %s\n", said(cert))
		}
		return b.String()
	})
}

// said writes what of a value is not empty, as {Key: value}.
func said(v any, but ...string) string {
	rv := reflect.ValueOf(v)
	if s, ok := v.(fmt.Stringer); ok && rv.Kind() != reflect.Slice {
		return s.String()
	}
	switch rv.Kind() { //nolint:exhaustive // all others are written as they are
	case reflect.Pointer:
		return said(rv.Elem().Interface())
	case reflect.Slice:
		var all []string
		for i := range rv.Len() {
			all = append(all, said(rv.Index(i).Interface()))
		}
		return "[" + strings.Join(all, ", ") + "]"
	case reflect.Struct:
		var all []string
		for i := range rv.NumField() {
			f := rv.Type().Field(i)
			if f.IsExported() && !rv.Field(i).IsZero() && !slices.Contains(but, f.Name) {
				all = append(all, f.Name+": "+said(rv.Field(i).Interface()))
			}
		}
		return "{" + strings.Join(all, ", ") + "}"
	}
	return fmt.Sprint(v)
}

func TestAHostileFileCostsNeitherTimeNorMemory(t *testing.T) {
	laughs := "a: &a [x, x, x, x, x, x, x, x, x]\n"
	for c := 'b'; c < 'k'; c++ {
		laughs += fmt.Sprintf("%c: &%c [*%c, *%c, *%c, *%c, *%c, *%c, *%c, *%c, *%c]\n", c, c, c-1, c-1, c-1, c-1, c-1, c-1, c-1, c-1, c-1)
	}
	nodes := "n: &n {name: a, address: 'h:1'}\nl1: &l1 [*n, *n, *n, *n, *n, *n, *n, *n, *n, *n]\n"
	for name, text := range map[string]string{
		"laughs":  laughs + "listeners: *j\n",
		"nodes":   nodes + "pools: [{name: p, nodes: *l1}]\n",
		"nested":  "listeners: " + strings.Repeat("[", 100_000),
		"nested2": "listeners: " + strings.Repeat("{a: ", 50_000),
		"long":    "listeners: " + strings.Repeat("x", 7<<20),
		"huge":    strings.Repeat("# nothing\n", 1<<20),
		"itself":  "listeners: &a [*a]\n",
		"keys":    strings.Repeat("a: 1\n", 200_000),
	} {
		t.Run(name, func(t *testing.T) {
			began := time.Now()
			if _, problems := Parse("cluster.yaml", []byte(text)); len(problems) == 0 {
				t.Error("taken")
			}
			t.Logf("%s", time.Since(began))
		})
	}
}

func FuzzParse(f *testing.F) {
	for _, pattern := range []string{"testdata/broken/*.txtar", "testdata/good/*.txtar"} {
		files, _ := filepath.Glob(pattern)
		for _, path := range files {
			archive, err := txtar.ParseFile(path)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(archive.Files[0].Data)
		}
	}
	f.Fuzz(func(t *testing.T, file []byte) {
		c, problems := Parse("cluster.yaml", file)
		if c == nil && len(problems) == 0 {
			t.Error("neither a cluster nor a problem")
		}
		for _, p := range problems {
			if lines := bytes.Count(file, []byte("\n")) + 2; p.What == "" || p.Line < 0 || p.Line > lines {
				t.Errorf("%+v in a file of %d lines", p, lines)
			}
		}
	})
}
