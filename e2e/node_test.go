package e2e

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// command runs one of usher's verbs on the site's file.
func (s *site) command(args ...string) (string, error) {
	out, err := exec.Command(filepath.Join(bin, "usher"), append(args, "--config", s.config())...).CombinedOutput()
	return string(out), err
}

// must runs a verb that has to go well.
func (s *site) must(args ...string) string {
	s.t.Helper()
	out, err := s.command(args...)
	if err != nil {
		s.t.Fatalf("usher %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return out
}

func (s *site) read() string {
	s.t.Helper()
	text, err := os.ReadFile(s.config())
	if err != nil {
		s.t.Fatal(err)
	}
	return string(text)
}

func TestADrainByTheVerbMovesNobodyAndKeepsTheFilesComments(t *testing.T) {
	s := newIdleSite(t, 2, file{})
	text := "# about this site\n" + strings.ReplaceAll(s.read(), "}\ncertificates:", "}   # the second, until Tuesday\n\n# what clients see\ncertificates:")
	s.save(text)
	s.run()
	u := &users{s: s, pause: 20 * time.Millisecond}
	u.begin(40)
	old := u.on("isNode2")
	if old == 0 {
		t.Fatal("nobody is on isNode2")
	}
	if out := s.must("node", "drain", "isNode2"); !strings.Contains(out, "\nlive after ") || !strings.Contains(out, "=> endpoints only: nobody is cut\n") {
		t.Errorf("said:\n%s", out)
	}
	fresh := (&users{s: s}).begin(40) // the verb has waited
	if n := fresh.on("isNode2"); n > 0 {
		t.Errorf("%d of 40 new users came to a draining node", n)
	}
	u.rounds(context.Background(), 10)
	u.mustNotFail(t)
	if u.wrong() > 0 || u.on("isNode2") != old {
		t.Errorf("%d requests on a wrong node, %d of %d users still on isNode2", u.wrong(), u.on("isNode2"), old)
	}
	entry := fmt.Sprintf("address: 127.0.0.1:%d", s.nodes[1].port)
	if want := strings.Replace(text, entry, entry+", state: drain", 1); s.read() != want {
		t.Errorf("the file is\n%s\nwant\n%s", s.read(), want)
	}
	if out := s.must("node", "list"); !strings.Contains(out, "as the file says") {
		t.Errorf("said:\n%s", out)
	}
	s.must("node", "enable", "isNode2")
	if fresh = (&users{s: s}).begin(40); fresh.on("isNode2") == 0 {
		t.Error("nobody comes to a node that is enabled again")
	}
}

func TestChangesByEditorsAreNotedAndTakenBack(t *testing.T) {
	s := newSite(t, 2, file{})
	text := s.read()
	s.change("a weight", func(f *file) { f.weight = map[string]string{"isNode1": "3"} })
	until(t, patience, "the change to be noted", func() bool {
		out := s.must("history")
		return strings.Contains(out, "an editor") && strings.Contains(out, "pool identity: node isNode1: weight 3 (was 1)")
	})
	if out := s.must("history", "undo", "1"); !strings.Contains(out, "\nlive after ") {
		t.Errorf("said:\n%s", out)
	}
	if s.read() != text {
		t.Errorf("the file is\n%s\nwant\n%s", s.read(), text)
	}
}

func TestOfTwoWhoChangeTheFileAtOnceNobodyIsOverwrittenUnheard(t *testing.T) {
	s := newSite(t, 2, file{others: 8})
	var all sync.WaitGroup
	said := make([]string, 8)
	failed := make([]error, 8)
	for i := range 8 {
		all.Go(func() {
			said[i], failed[i] = s.command("node", "weight", fmt.Sprintf("other%d", i), "7", "--no-wait")
		})
	}
	all.Wait()
	text, saved := s.read(), 0
	for i := range 8 {
		is := strings.Contains(text, fmt.Sprintf("address: 192.0.2.%d:9443, state: disabled, weight: 7}", i+1))
		switch {
		case failed[i] == nil && !is:
			t.Errorf("the change of other%d is lost:\n%s", i, text)
		case failed[i] == nil:
			saved++
		case is, !strings.Contains(said[i], "the cluster file has changed meanwhile"):
			t.Errorf("other%d: %v\n%s", i, failed[i], said[i])
		}
	}
	if saved == 0 {
		t.Error("nobody could save")
	}
	if out := s.must("history"); strings.Count(out, "weight 7 (was 1)") != saved {
		t.Errorf("%d are saved, noted are\n%s", saved, out)
	}
}

func TestAVerbSaysWhenItsChangeIsNotServed(t *testing.T) {
	s := newSite(t, 2, file{})
	taken, err := net.Listen("tcp", "127.0.0.1:0") // validation does not look whether a port is free
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close() //nolint:errcheck // the test ends
	f := s.file
	f.more = fmt.Sprintf("  - {name: taken, address: %q, routes: [{path: /, pool: identity}]}\n", taken.Addr())
	s.save(s.text(f))
	until(t, patience, "the file to be refused", func() bool { st, ok := s.status(); return ok && len(st.Problems) > 0 })
	out, err := s.command("node", "drain", "isNode2")
	if err == nil || !strings.Contains(out, "the change is saved, but usher does not serve it") || !strings.Contains(out, "cannot bind") {
		t.Errorf("%v:\n%s", err, out)
	}
	s.always("isNode1", "/", "JSESSIONID=ABC.isNode1")
}

func TestVerbsAskTheUsherThatRuns(t *testing.T) {
	s := newSite(t, 2, file{})
	before := s.read()
	s.must("node", "drain", "isNode2")
	drained := s.read()
	if said := s.must("history", "show", "1"); !strings.Contains(said, "(command)") || !strings.Contains(said, "isNode2 drains") {
		t.Errorf("history show:\n%s", said)
	}
	if said := s.must("history", "undo", "1"); !strings.Contains(said, "saved as change 2") || !strings.Contains(said, "\nlive after ") {
		t.Errorf("history undo:\n%s", said)
	}
	if s.read() != before {
		t.Errorf("taken back:\n%s", s.read())
	}
	if out, err := s.command("history", "undo", "1"); err == nil || !strings.Contains(out, "has been taken back already") {
		t.Errorf("taken back again: %v\n%s", err, out)
	}
	other := filepath.Join(s.dir, "other.yaml")
	if err := os.WriteFile(other, []byte(drained), 0o600); err != nil {
		t.Fatal(err)
	}
	if said := s.must("diff", other); !strings.Contains(said, "node isNode2 drains") {
		t.Errorf("diff:\n%s", said)
	}
	if out, err := s.command("node", "add", "isNode9", fmt.Sprintf("127.0.0.1:%d", s.nodes[0].port)); err == nil || !strings.Contains(out, s.config()+":") || !strings.Contains(out, "nothing is saved") {
		t.Errorf("a fault: %v\n%s", err, out)
	}
	for _, line := range []string{`via=socket from=socket what="changes the cluster file; pool identity: node isNode2 drains`, `what="takes back change 1" result=done`} {
		if !strings.Contains(s.usher.output(), line) {
			t.Errorf("usher has not logged %s:\n%s", line, s.usher.output())
		}
	}
}
