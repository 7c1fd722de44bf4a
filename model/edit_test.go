package model

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"golang.org/x/tools/txtar"
)

// TestAnEditLeavesTheRestOfTheFileAsItIs reads the edits from above the files of
// each case: set POOL NODE KEY VALUE, add POOL KEY=VALUE…, remove POOL NODE.
func TestAnEditLeavesTheRestOfTheFileAsItIs(t *testing.T) {
	files, err := filepath.Glob("testdata/edit/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatal("no test data", err)
	}
	for _, path := range files {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".txtar"), func(t *testing.T) {
			archive, err := txtar.ParseFile(path)
			if err != nil {
				t.Fatal(err)
			}
			got := "" // of each edit by itself
			for edit := range strings.Lines(string(archive.Comment)) {
				text, err := Apply("cluster.yaml", archive.Files[0].Data, editOf(t, strings.Fields(edit)))
				got += "== " + edit
				if err != nil {
					got += err.Error() + "\n"
				} else {
					got += changedLines(archive.Files[0].Data, text)
				}
			}
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

// changedLines are the lines that went and came.
func changedLines(was, now []byte) string {
	a, b := strings.SplitAfter(string(was), "\n"), strings.SplitAfter(string(now), "\n")
	top := 0
	for top < min(len(a), len(b)) && a[top] == b[top] {
		top++
	}
	end := 0
	for end < min(len(a), len(b))-top && a[len(a)-1-end] == b[len(b)-1-end] {
		end++
	}
	out := ""
	for _, l := range a[top : len(a)-end] {
		out += "-" + l
	}
	for _, l := range b[top : len(b)-end] {
		out += "+" + l
	}
	return out
}

func editOf(t *testing.T, words []string) Edit {
	t.Helper()
	switch words[0] {
	case "set":
		return SetNode(words[1], words[2], words[3], strings.Join(words[4:], " "))
	case "remove":
		return RemoveNode(words[1], words[2])
	case "add":
		n := Node{}
		for _, w := range words[2:] {
			key, value, _ := strings.Cut(w, "=")
			if key == "name" {
				n.Name = value
			} else if what, _ := setValue(&n, key, value); what != "" {
				t.Fatal(what)
			}
		}
		return AddNode(words[1], bareNode(n, words))
	}
	t.Fatalf("%q is no edit", words)
	return nil
}

// bareNode is a node without the defaults that the words do not name.
func bareNode(n Node, words []string) Node {
	if !slices.ContainsFunc(words, func(w string) bool { return strings.HasPrefix(w, "weight=") }) {
		n.Weight = 0
	}
	if !slices.ContainsFunc(words, func(w string) bool { return strings.HasPrefix(w, "state=") }) {
		n.State = ""
	}
	return n
}

// tryEdit is a random edit and what it does to the file's nodes.
type tryEdit struct {
	Edit
	kind string
	node string // POOL/NODE
	on   func([]Node) []Node
}

func anyEdit(r *rand.Rand, p Pool) tryEdit {
	at := r.IntN(len(p.Nodes))
	n := p.Nodes[at]
	switch r.IntN(10) {
	case 0, 1:
		fresh := Node{Name: fmt.Sprintf("new%d", r.IntN(1_000_000)), Address: Address{Host: []string{"10.0.0.9", "::1", "h.example.org"}[r.IntN(3)], Port: uint16(1 + r.UintN(65535)&0x7fff)}}
		if r.IntN(2) == 0 {
			fresh.Weight, fresh.State = Weight(float64(1+r.IntN(9999))/100), someState(r)
		}
		return tryEdit{AddNode(p.Name, fresh), "add", p.Name + "/" + fresh.Name, func(ns []Node) []Node { completeNode(&fresh); return append(ns, fresh) }}
	case 2:
		return tryEdit{RemoveNode(p.Name, n.Name), "remove", p.Name + "/" + n.Name, func(ns []Node) []Node { return slices.Delete(ns, at, at+1) }}
	}
	key, text := "state", string(someState(r))
	switch r.IntN(8) {
	case 0, 1:
		key, text = "weight", fmt.Sprint(float64(1+r.IntN(9999))/100)
	case 2:
		key, text = "address", fmt.Sprintf("[2001:db8::%x]:%d", r.IntN(65536), 1+r.IntN(65535))
	case 3:
		key, text = "set", fmt.Sprint(r.IntN(100))
	case 4:
		key, text = "redirect", p.Nodes[r.IntN(len(p.Nodes))].Name
	case 5, 6:
		key, text = []string{"state", "weight", "set", "redirect"}[r.IntN(4)], ""
	}
	return tryEdit{SetNode(p.Name, n.Name, key, text), "set", p.Name + "/" + n.Name, func(ns []Node) []Node {
		if what, _ := setValue(&ns[at], key, text); what != "" {
			panic(what)
		}
		return ns
	}}
}

var commentPattern = regexp.MustCompile(`(?m)(?:^|[ \t])#[^\r\n]*`)

func commentsOf(text []byte) map[string]int {
	all := map[string]int{}
	for _, c := range commentPattern.FindAllString(string(text), -1) {
		all[strings.TrimSpace(c)]++
	}
	return all
}

func TestAThousandRandomEditsDoWhatTheySay(t *testing.T) {
	files, err := filepath.Glob("testdata/edit/any/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatal("no test data", err)
	}
	files = append(files, "../cmd/usher/starter.yaml", "../deploy/demo/cluster.yaml", "../deploy/cluster/cluster.yaml")
	edits := 0
	for _, path := range files {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for how, change := range map[string]func(string) string{
			"as it is": func(s string) string { return s },
			"CRLF":     func(s string) string { return strings.ReplaceAll(s, "\n", "\r\n") },
			"cut off":  func(s string) string { return strings.TrimRight(s, "\n") },
			"BOM":      func(s string) string { return "\ufeff" + s },
		} {
			t.Run(filepath.Base(path)+" "+how, func(t *testing.T) {
				for run := range uint64(5) {
					r := rand.New(rand.NewPCG(run, uint64(len(path))))
					text := []byte(change(string(text)))
					for range 8 {
						text = editOnce(t, r, text)
						edits++
					}
				}
			})
		}
	}
	if edits < 1000 {
		t.Errorf("%d edits", edits)
	}
}

func editOnce(t *testing.T, r *rand.Rand, text []byte) []byte {
	t.Helper()
	c, problems := Parse("cluster.yaml", text)
	if c == nil {
		t.Fatal(problems)
	}
	at := r.IntN(len(c.Pools))
	e := anyEdit(r, c.Pools[at])
	if e.kind == "remove" && len(c.Pools[at].Nodes) == 1 {
		return text
	}
	next, err := Apply("cluster.yaml", text, e.Edit)
	if err != nil {
		t.Fatalf("%#v: %v in\n%s", e.Edit, err, text)
	}
	got, _ := Parse("cluster.yaml", next)
	want := *c
	want.Pools = slices.Clone(c.Pools)
	want.Pools[at].Nodes = e.on(slices.Clone(c.Pools[at].Nodes))
	if diff := cmp.Diff(&want, got, cmpopts.IgnoreUnexported(Cluster{}, Route{})); diff != "" {
		t.Fatalf("%#v: -want +got\n%s\n%s", e.Edit, diff, next)
	}
	mustKeepComments(t, e, text, next)
	mustKeepLines(t, e, text, next)
	return next
}

func mustKeepComments(t *testing.T, e tryEdit, was, now []byte) {
	t.Helper()
	kept := commentsOf(now)
	for c, n := range commentsOf(was) {
		about := strings.Contains(c, "own: "+e.node) || !strings.Contains(c, "own: ") && strings.Contains(c, e.node[strings.Index(e.node, "/")+1:])
		if lost := kept[c] < n; lost && (e.kind != "remove" || !about) {
			t.Fatalf("%#v: lost the comment %q of\n%s\nin\n%s", e.Edit, c, was, now)
		} else if !lost && e.kind == "remove" && strings.Contains(c, "own: "+e.node) {
			t.Fatalf("%#v: left the comment %q of\n%s\nin\n%s", e.Edit, c, was, now)
		}
	}
}

// mustKeepLines wants the same lines in the same order, but for some few.
func mustKeepLines(t *testing.T, e tryEdit, was, now []byte) {
	t.Helper()
	kind := func(s []byte) string {
		switch {
		case strings.Contains(string(s), "\r\n"):
			return "\r\n"
		}
		return "\n"
	}
	if kind(was) != kind(now) || strings.Count(string(now), "\r") > 0 && strings.Count(string(now), "\r\n") != strings.Count(string(now), "\n") {
		t.Fatalf("%#v: other line ends", e.Edit)
	}
	if e.kind != "remove" && strings.HasSuffix(string(was), "\n") != strings.HasSuffix(string(now), "\n") {
		t.Fatalf("%#v: another end of the file:\n%s\n%s", e.Edit, was, now)
	}
	went, came := linesBut(was, now), linesBut(now, was)
	limit := map[string][2]int{"set": {2, 2}, "add": {1, 8}, "remove": {9, 2}}[e.kind]
	if len(went) > limit[0] || len(came) > limit[1] {
		t.Fatalf("%#v: went %q, came %q:\n%s\n%s", e.Edit, went, came, was, now)
	}
}

func linesBut(a, b []byte) (all []string) {
	there := map[string]int{}
	for l := range strings.Lines(string(b)) {
		there[strings.TrimRight(l, "\r\n")]++
	}
	for l := range strings.Lines(string(a)) {
		l = strings.TrimRight(l, "\r\n")
		if there[l]--; there[l] < 0 {
			all = append(all, l)
		}
	}
	return all
}

func FuzzApply(f *testing.F) {
	for _, pattern := range []string{"testdata/edit/*.txtar", "testdata/good/*.txtar"} {
		files, _ := filepath.Glob(pattern)
		for _, path := range files {
			archive, err := txtar.ParseFile(path)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(archive.Files[0].Data, uint64(1))
		}
	}
	files, _ := filepath.Glob("testdata/edit/any/*.yaml")
	for _, path := range files {
		text, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text, uint64(1))
	}
	f.Add([]byte("pools:\n- {nodes: [0: 0]}"), uint64(1))
	f.Add([]byte("pools:\n  - name: p\n    nodes:\n      -"), uint64(21))
	f.Fuzz(func(t *testing.T, text []byte, seed uint64) {
		c, _ := Parse("cluster.yaml", text)
		if c == nil {
			return
		}
		r := rand.New(rand.NewPCG(seed, 0))
		for _, p := range c.Pools {
			if len(p.Nodes) == 0 {
				continue
			}
			next, err := Apply("cluster.yaml", text, anyEdit(r, p).Edit)
			if err == nil && len(next) == 0 {
				t.Error("nothing is left")
			}
		}
	})
}

func someState(r *rand.Rand) State {
	return []State{Active, Drain, Disabled, Standby, Spare}[r.IntN(5)]
}
