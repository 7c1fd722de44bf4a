package model

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"
)

// Every message about a field is met by a file of testdata/broken, so that nobody
// adds one that can't come true.
func TestEveryMessageIsMet(t *testing.T) {
	met := problemsOfBrokenFiles(t)
	files, err := filepath.Glob("check*.go")
	if err != nil || len(files) == 0 {
		t.Fatal("no source", err)
	}
	for _, name := range files {
		set := token.NewFileSet()
		file, err := parser.ParseFile(set, name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			if what := message(n); what != nil && !regexp.MustCompile(": "+pattern(what)+"\n").MatchString(met) {
				t.Errorf("%s: no broken file has %q", set.Position(n.Pos()), pattern(what))
			}
			return true
		})
	}
}

func problemsOfBrokenFiles(t *testing.T) string {
	t.Helper()
	files, err := filepath.Glob("testdata/broken/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatal("no test data", err)
	}
	var all strings.Builder
	for _, path := range files {
		archive, err := txtar.ParseFile(path)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&all, "%s\n", archive.Files[1].Data)
	}
	return all.String()
}

// message is what a call of fault or required says, nil for anything else.
func message(n ast.Node) ast.Expr {
	call, ok := n.(*ast.CallExpr)
	if !ok {
		return nil
	}
	f, ok := call.Fun.(*ast.SelectorExpr)
	if !ok {
		return nil
	}
	at, ok := map[string]int{"fault": 1, "required": 2}[f.Sel.Name]
	if !ok || len(call.Args) <= at {
		return nil
	}
	return call.Args[at]
}

var verb = regexp.MustCompile(`%(\\.[0-9]+)?[a-z]`)

// pattern matches a message with anything in the place of what is not a literal.
func pattern(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.BasicLit:
		text, err := strconv.Unquote(e.Value)
		if err != nil {
			return ".*"
		}
		return verb.ReplaceAllString(regexp.QuoteMeta(text), ".*")
	case *ast.BinaryExpr:
		return pattern(e.X) + pattern(e.Y)
	case *ast.CallExpr:
		if f, ok := e.Fun.(*ast.SelectorExpr); ok && f.Sel.Name == "Sprintf" {
			return pattern(e.Args[0])
		}
	}
	return ".*"
}
