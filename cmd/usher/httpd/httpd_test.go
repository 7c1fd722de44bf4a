package httpd

import (
	"flag"
	"os"
	"path"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"
)

var update = flag.Bool("update", false, "rewrite what the tests want")

const (
	wantYAML   = "cluster.yaml"
	wantReport = "report"
	workDir    = "/site"
)

// machine is a case's files as a file system: relative names lie in the working
// directory.
func machine(files []txtar.File) fstest.MapFS {
	m := fstest.MapFS{"site": {Mode: os.ModeDir | 0o755}}
	for _, f := range files {
		name := f.Name
		if !path.IsAbs(name) {
			name = path.Join(workDir, name)
		}
		m[strings.TrimPrefix(name, "/")] = &fstest.MapFile{Data: f.Data}
	}
	return m
}

// command is what a case imports: the last line of its comment.
func command(t *testing.T, comment []byte) []string {
	t.Helper()
	lines := strings.Split(strings.TrimSpace(string(comment)), "\n")
	words := strings.Fields(lines[len(lines)-1])
	if len(words) < 2 || words[0] != "import" {
		t.Fatal("the comment has to end in a line: import FILE…")
	}
	return words[1:]
}

func TestEveryPromise(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(files) < 40 {
		t.Fatalf("%d cases, %v", len(files), err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			archive, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			promise(t, file, archive)
		})
	}
}

func promise(t *testing.T, file string, archive *txtar.Archive) {
	t.Helper()
	var inputs, wants []txtar.File
	for _, f := range archive.Files {
		if f.Name == wantYAML || f.Name == wantReport {
			wants = append(wants, f)
		} else {
			inputs = append(inputs, f)
		}
	}
	result, err := Import(machine(inputs), workDir, command(t, archive.Comment))
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range result.Problems {
		t.Errorf("to mend by hand: %s", p)
	}
	got := []txtar.File{{Name: wantYAML, Data: result.YAML}, {Name: wantReport, Data: []byte(text(result.Report))}}
	if *update {
		archive.Files = append(inputs, got...)
		if err := os.WriteFile(file, txtar.Format(archive), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(asText(wants), asText(got)); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
}

func asText(files []txtar.File) string { return string(txtar.Format(&txtar.Archive{Files: files})) }

func text(r Report) string {
	var b strings.Builder
	for _, row := range r {
		b.WriteString(row.String() + "\n")
	}
	return b.String() + r.Summary() + "\n"
}
