package model

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const (
	readme         = "../README.md"
	referenceBegin = "<!-- reference -->\n"
	referenceEnd   = "<!-- /reference -->"
)

// The file reference in the README is made of the doc comments of the types.
func TestReferenceIsWhatTheTypesSay(t *testing.T) {
	text, err := os.ReadFile(readme)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, ok := strings.Cut(string(text), referenceBegin)
	stands, after, ok2 := strings.Cut(rest, referenceEnd)
	if !ok || !ok2 {
		t.Fatalf("%s has no place for the reference", readme)
	}
	want := markdown(Reference())
	if *update {
		if err := os.WriteFile(readme, []byte(before+referenceBegin+want+referenceEnd+after), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(want, stands); diff != "" {
		t.Errorf("the README's reference is stale: `make reference` writes it anew (-want +got)\n%s", diff)
	}
}

// markdown writes a chapter for each type.
func markdown(chapters []Chapter) string {
	var b strings.Builder
	for _, c := range chapters {
		fmt.Fprintf(&b, "\n### %s\n\n%s\n\n| key | meaning |\n|---|---|\n", c.Title, c.Doc)
		for _, k := range c.Keys {
			fmt.Fprintf(&b, "| `%s` | %s |\n", k.Name, strings.ReplaceAll(k.Doc, "|", `\|`))
		}
	}
	return b.String() + "\n"
}
