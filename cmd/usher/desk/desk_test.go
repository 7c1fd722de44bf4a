package desk

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"

	"usher/model"
)

var update = flag.Bool("update", false, "rewrite what the tests want")

func TestWhatAChangeSaysAndDoes(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatal("no test data", err)
	}
	for _, path := range files {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".txtar"), func(t *testing.T) {
			archive, err := txtar.ParseFile(path)
			if err != nil {
				t.Fatal(err)
			}
			got := described(newDesk(t, "").Compare(t.Context(), archive.Files[0].Data, archive.Files[1].Data))
			if *update {
				archive.Files[2].Data = []byte(got)
				if err := os.WriteFile(path, txtar.Format(archive), 0o600); err != nil {
					t.Fatal(err)
				}
				return
			}
			if diff := cmp.Diff(string(archive.Files[2].Data), got); diff != "" {
				t.Errorf("-want +got\n%s", diff)
			}
		})
	}
}

func described(p Preview) string {
	var b strings.Builder
	for _, c := range p.Changes {
		fmt.Fprintln(&b, c)
	}
	for _, r := range p.Resources {
		fmt.Fprintf(&b, "  %s %s %s\n", r.Kind, r.Name, r.Change)
	}
	for _, e := range p.Effects {
		fmt.Fprintln(&b, "=>", e)
	}
	for _, e := range p.Problems {
		fmt.Fprintln(&b, e)
	}
	return b.String()
}

// newDesk is a desk for a file in a folder of its own.
func newDesk(t *testing.T, text string) *Desk {
	t.Helper()
	dir := t.TempDir()
	path := filepath.Join(dir, "cluster.yaml")
	if err := os.WriteFile(path, []byte(text), 0o640); err != nil {
		t.Fatal(err)
	}
	return New(path, filepath.Join(dir, "state"), func(_ context.Context, text []byte) (*model.Cluster, model.Problems) {
		return model.Parse("cluster.yaml", text)
	})
}

const file = `listeners:
  - {name: http, address: 127.0.0.1:80, routes: [{path: /, pool: p}]}
pools:
  - name: p
    sticky: {jvm_route: J}
    nodes:
      - {name: a, address: 10.0.0.1:80} # the first
      - {name: b, address: 10.0.0.2:80}
      - {name: c, address: 10.0.0.3:80}
`

func (d *Desk) mustSave(t *testing.T, edits ...model.Edit) Entry {
	t.Helper()
	p, err := d.Preview(t.Context(), "", edits...)
	if err != nil {
		t.Fatal(err)
	}
	e, err := d.Save(t.Context(), Author{"somebody", ViaCommand}, p.Before.Hash, p.After.Data)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func (d *Desk) mustRead(t *testing.T) string {
	t.Helper()
	f, err := d.Read()
	if err != nil {
		t.Fatal(err)
	}
	return string(f.Data)
}

func TestASaveKeepsModeAndLink(t *testing.T) {
	d := newDesk(t, file)
	target := filepath.Join(t.TempDir(), "real.yaml")
	if err := os.Rename(d.config, target); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(target, d.config); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(target, 0o604); err != nil {
		t.Fatal(err)
	}
	d.mustSave(t, model.SetNode("p", "a", "state", "drain"))
	if to, err := os.Readlink(d.config); err != nil || to != target {
		t.Errorf("the link leads to %q: %v", to, err)
	}
	info, err := os.Stat(target)
	if err != nil || info.Mode().Perm() != 0o604 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
	if want := strings.Replace(file, "10.0.0.1:80}", "10.0.0.1:80, state: drain}", 1); d.mustRead(t) != want {
		t.Error(d.mustRead(t))
	}
	if left, _ := filepath.Glob(filepath.Join(filepath.Dir(target), ".real*")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

func TestASaveOverwritesNobody(t *testing.T) {
	d := newDesk(t, file)
	p, err := d.Preview(t.Context(), "", model.SetNode("p", "a", "weight", "2"))
	if err != nil {
		t.Fatal(err)
	}
	d.mustSave(t, model.SetNode("p", "b", "weight", "3"))
	if _, err := d.Save(t.Context(), Author{}, p.Before.Hash, p.After.Data); !errors.Is(err, ErrChanged) {
		t.Errorf("saved: %v", err)
	}
	if _, err := d.Preview(t.Context(), p.Before.Hash, model.SetNode("p", "a", "weight", "2")); !errors.Is(err, ErrChanged) {
		t.Errorf("shown: %v", err)
	}
	if strings.Contains(d.mustRead(t), "weight: 2") {
		t.Error(d.mustRead(t))
	}
}

func TestOfManyAtOnceEveryoneIsSavedOrTold(t *testing.T) {
	d := newDesk(t, file)
	var all sync.WaitGroup
	saved := make(chan string, 100)
	for i := range uint16(8) {
		all.Go(func() {
			for n := 0; ; n++ {
				p, err := d.Preview(t.Context(), "", model.AddNode("p", model.Node{Name: fmt.Sprintf("n%d", i), Address: model.Address{Host: "10.0.1.1", Port: 1 + i}}))
				if err != nil {
					t.Error(err)
					return
				}
				_, err = d.Save(t.Context(), Author{Name: fmt.Sprint(i)}, p.Before.Hash, p.After.Data)
				if err == nil {
					saved <- fmt.Sprintf("{name: n%d,", i)
					return
				}
				if !errors.Is(err, ErrChanged) {
					t.Error(err)
					return
				}
			}
		})
	}
	all.Wait()
	close(saved)
	text := d.mustRead(t)
	n := 0
	for s := range saved {
		n++
		if !strings.Contains(text, s) {
			t.Errorf("%s is lost in\n%s", s, text)
		}
	}
	if entries, err := d.History(); err != nil || len(entries) != n || n != 8 {
		t.Errorf("%d of %d changes are noted: %v", len(entries), n, err)
	}
}

func TestTheJournalKnowsWhoAndWhat(t *testing.T) {
	d := newDesk(t, file)
	d.mustSave(t, model.SetNode("p", "a", "state", "drain"))
	edited := strings.Replace(d.mustRead(t), "name: c, address: 10.0.0.3:80", "name: c, address: 10.0.0.3:80, weight: 5", 1)
	for range 2 { // the loop may see one save twice
		if err := d.Note(t.Context(), Seen{Text: []byte(edited)}); err != nil {
			t.Fatal(err)
		}
	}
	all, err := d.History()
	if err != nil || len(all) != 2 {
		t.Fatalf("%+v %v", all, err)
	}
	got := fmt.Sprint(all[0].ID, all[0].Via, all[0].Words, all[1].ID, all[1].Name, all[1].Via, all[1].Words)
	if want := fmt.Sprint("2", ViaFile, []string{"pool p: node c: weight 5 (was 1)"}, "1", "somebody", ViaCommand, []string{"pool p: node a drains (was active)"}); got != want {
		t.Errorf("%s, want %s", got, want)
	}
	if !strings.Contains(all[0].Diff, "\n-      - {name: c, address: 10.0.0.3:80}\n+      - {name: c, address: 10.0.0.3:80, weight: 5}\n") {
		t.Error(all[0].Diff)
	}
	info, err := os.Stat(d.path(1))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v %v", info.Mode(), err)
	}
}

func TestWhatAnEditorSavedBeforeIsNotedToo(t *testing.T) {
	d := newDesk(t, file)
	d.mustSave(t, model.SetNode("p", "a", "weight", "2"))
	if err := os.WriteFile(d.config, []byte(strings.Replace(d.mustRead(t), "weight: 2", "weight: 3", 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	d.mustSave(t, model.SetNode("p", "a", "weight", "4"))
	all, err := d.History()
	if err != nil || len(all) != 3 || all[1].Via != ViaFile {
		t.Errorf("%+v %v", all, err)
	}
}

func TestTheJournalIsBounded(t *testing.T) {
	d := newDesk(t, file)
	if err := d.Note(t.Context(), Seen{Text: []byte(file)}); err != nil {
		t.Fatal(err)
	}
	for i := range maxEntries {
		if err := os.WriteFile(d.path(i+1), []byte("{}"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for i := range 7 {
		if err := d.Note(t.Context(), Seen{Text: fmt.Appendf(nil, "%s# %d\n", file, i)}); err != nil {
			t.Fatal(err)
		}
	}
	all, err := d.History()
	if err != nil || len(all) != maxEntries || all[0].ID != fmt.Sprint(maxEntries+7) {
		t.Errorf("%d entries: %v", len(all), err)
	}
	for i := range 3 {
		big := append([]byte("{}"), bytes.Repeat([]byte(" "), 9<<20)...)
		if err := os.WriteFile(d.path(300+i), big, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := d.Note(t.Context(), Seen{Text: []byte(file)}); err != nil {
		t.Fatal(err)
	}
	if all, err = d.History(); err != nil || len(all) != 3 || all[0].ID != "303" {
		t.Errorf("%d entries: %v", len(all), err)
	}
}

func TestAChangeIsTakenBackFromAmongLaterOnes(t *testing.T) {
	d := newDesk(t, file)
	first := d.mustSave(t, model.SetNode("p", "a", "state", "drain"))
	gone := d.mustSave(t, model.RemoveNode("p", "b"))
	d.mustSave(t, model.SetNode("p", "c", "weight", "2"))
	by := Author{"somebody", ViaCommand}
	if _, err := d.TakeBack(t.Context(), by, "", gone.ID); err != nil {
		t.Fatal(err)
	}
	if _, err := d.TakeBack(t.Context(), by, "", first.ID); err != nil {
		t.Fatal(err)
	}
	if want := strings.Replace(file, "10.0.0.3:80", "10.0.0.3:80, weight: 2", 1); d.mustRead(t) != want {
		t.Error(cmp.Diff(want, d.mustRead(t)))
	}
	if _, err := d.TakeBack(t.Context(), by, "", first.ID); err == nil || !strings.Contains(err.Error(), "taken back already") {
		t.Error(err)
	}
}

func TestAChangeThatLaterOnesTouchIsNotTakenBack(t *testing.T) {
	d := newDesk(t, file)
	drains := d.mustSave(t, model.SetNode("p", "a", "state", "drain"))
	d.mustSave(t, model.SetNode("p", "a", "weight", "2"))
	text := d.mustRead(t)
	_, err := d.TakeBack(t.Context(), Author{}, "", drains.ID)
	if err == nil || !strings.Contains(err.Error(), "line 7 has changed since, to - {name: a, address: 10.0.0.1:80, state: drain, weight: 2}") {
		t.Error(err)
	}
	if d.mustRead(t) != text {
		t.Error("the file has changed")
	}
	added := d.mustSave(t, model.AddNode("p", model.Node{Name: "x", Address: model.Address{Host: "10.0.0.9", Port: 80}}))
	d.mustSave(t, model.SetNode("p", "a", "redirect", "x"))
	var faults model.Problems
	if _, err := d.TakeBack(t.Context(), Author{}, "", added.ID); !errors.As(err, &faults) {
		t.Errorf("a node that another redirects to is taken back: %v", err)
	}
	if _, err := d.TakeBack(t.Context(), Author{}, Hash([]byte("another")), added.ID); !errors.Is(err, ErrChanged) {
		t.Errorf("in another file than was looked at: %v", err)
	}
}

// TestSwapsLeadFromOneTextToTheOther tries random texts of few different lines.
func TestSwapsLeadFromOneTextToTheOther(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	some := func() (all []string) {
		for range r.IntN(30) {
			all = append(all, fmt.Sprintf("%d\n", r.IntN(6)))
		}
		return all
	}
	for range 2000 {
		a, b := some(), some()
		var got []string
		at := 0
		for _, s := range swaps(a, b) {
			got = append(append(got, a[at:s.from]...), b[s.start:s.end]...)
			at = s.to
		}
		if got = append(got, a[at:]...); strings.Join(got, "") != strings.Join(b, "") {
			t.Fatalf("%q to %q made %q", a, b, got)
		}
		back, err := takenBack([]byte(strings.Join(a, "")), []byte(strings.Join(b, "")), []byte(strings.Join(b, "")))
		if err != nil || string(back) != strings.Join(a, "") {
			t.Fatalf("%q: %q %v", a, back, err)
		}
	}
}

func TestADiffReadsAsPeopleKnowIt(t *testing.T) {
	was := "1\n2\n3\n4\n5\n6\n7\n8\n9\n10\n11\n12"
	got := unified("f", []byte(was), []byte(strings.Replace(strings.Replace(was, "2\n", "two\n", 1), "12", "12\n13", 1)))
	want := `--- f
+++ f
@@ -1,5 +1,5 @@
 1
-2
+two
 3
 4
 5
@@ -9,4 +9,5 @@
 9
 10
 11
-12
\ No newline at end of file
+12
+13
\ No newline at end of file
`
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
