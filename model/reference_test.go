package model

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"reflect"
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
	want := reference(t)
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

// reference writes a chapter for each type, in the order of the source.
func reference(t *testing.T) string {
	t.Helper()
	var decls []ast.Decl
	for _, name := range []string{"cluster.go", "listener.go", "route.go", "pool.go", "sticky.go", "pooltls.go", "health.go", "certificate.go"} {
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		decls = append(decls, file.Decls...)
	}
	titles := map[string]string{
		"Cluster": "The whole file", "Listener": "listeners[]", "ListenerTLS": "listeners[].tls", "ClientTLS": "listeners[].tls.client",
		"HSTS": "listeners[].tls.hsts", "ListenerPreset": "listeners[].preset", "TCP": "listeners[].tcp", "AccessLog": "listeners[].access_log",
		"Route": "listeners[].routes[]", "RouteRedirect": "listeners[].routes[].redirect", "Respond": "listeners[].routes[].respond",
		"Pool": "pools[]", "Sticky": "pools[].sticky", "RouteCookie": "pools[].sticky.route_cookie", "Cookie": "pools[].sticky.cookie, stateful_session",
		"PoolTLS": "pools[].tls", "Reverse": "pools[].reverse", "Swap": "pools[].reverse.cookie_path[], cookie_domain[]",
		"Health": "pools[].health", "Node": "pools[].nodes[]", "Certificate": "certificates[]",
		"ACME": "certificates[].acme",
	}
	var b strings.Builder
	for _, d := range decls {
		gen, ok := d.(*ast.GenDecl)
		if !ok || gen.Tok != token.TYPE {
			continue
		}
		spec := gen.Specs[0].(*ast.TypeSpec)
		fields, ok := spec.Type.(*ast.StructType)
		if !ok {
			continue
		}
		title, ok := titles[spec.Name.Name]
		if !ok {
			t.Errorf("type %s has no title in the reference", spec.Name.Name)
		}
		fmt.Fprintf(&b, "\n### %s\n\n%s\n\n| key | meaning |\n|---|---|\n", title, sentence(gen.Doc.Text(), spec.Name.Name))
		for _, f := range fields.Fields.List {
			if f.Tag != nil {
				key := reflect.StructTag(strings.Trim(f.Tag.Value, "`")).Get("yaml")
				fmt.Fprintf(&b, "| `%s` | %s |\n", key, strings.ReplaceAll(sentence(f.Doc.Text(), f.Names[0].Name), "|", `\|`))
			}
		}
	}
	return b.String() + "\n"
}

// sentence is a doc comment without the name that it begins with.
func sentence(doc, name string) string {
	text := strings.Join(strings.Fields(doc), " ")
	text = strings.TrimPrefix(text, name+" ")
	for _, verb := range []string{"is ", "are "} {
		text = strings.TrimPrefix(text, verb)
	}
	return strings.ToUpper(text[:1]) + text[1:]
}
