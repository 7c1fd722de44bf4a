package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

func TestAHundredEditsUnderLoadFailNobodyAndCutNobody(t *testing.T) {
	s := newSite(t, 3, file{})
	u := (&users{s: s, pause: 20 * time.Millisecond}).begin(30)
	h2 := (&users{s: s, pause: 20 * time.Millisecond, http2: true}).begin(10)
	edits := []func(*file, int){
		func(f *file, i int) { f.weight = map[string]string{"isNode1": fmt.Sprint(2 + i%7)} },
		func(f *file, i int) { f.routes = []string{fmt.Sprintf("{path: /edit%d, deny: true}", i)} },
		func(f *file, i int) { f.state = map[string]string{"isNode3": []string{"drain", "active"}[i/4%2]} },
		func(f *file, i int) {
			f.pool = stickyPool + ", balance: " + []string{"least_request", "round_robin"}[i/4%2]
		},
	}
	h2Done := make(chan struct{})
	stop := make(chan struct{})
	go func() { defer close(h2Done); h2.during(func() { <-stop }) }()
	var slowest time.Duration
	u.during(func() {
		for i := range 100 {
			slowest = max(slowest, s.change(fmt.Sprintf("edit %d", i), func(f *file) { edits[i%len(edits)](f, i) }))
		}
	})
	close(stop)
	<-h2Done
	for _, x := range []*users{u, h2} {
		x.mustNotFail(t)
		if n := x.closed.Load(); n > 0 {
			t.Errorf("http2 %t: the balancer closed %d connections", x.http2, n)
		}
		if w := x.wrong(); w > 0 {
			t.Errorf("http2 %t: %d requests on a wrong node", x.http2, w)
		}
	}
	t.Logf("%d requests, the slowest edit was live after %s", u.requests.Load()+h2.requests.Load(), slowest)
}

func TestAPoolAndItsRouteComeAndGoInOneSave(t *testing.T) {
	s := newSite(t, 2, file{})
	u := (&users{s: s, pause: 5 * time.Millisecond, path: "new"}).begin(20)
	u.during(func() {
		for range 5 {
			s.change("a pool and its route", func(f *file) {
				f.routes = []string{"{path: /new, pool: new}"}
				f.pools = fmt.Sprintf("  - {name: new, sticky: {jvm_route: JSESSIONID}, tls: {verify: none}, nodes: [%s]}\n", strings.Join(s.entries(*f), ", "))
			})
			s.change("neither", func(f *file) { f.routes, f.pools = nil, "" })
		}
	})
	u.mustNotFail(t)
	if w := u.wrong(); w > 0 {
		t.Errorf("%d requests on a wrong node", w)
	}
}

// live waits until a save is served, which is told by a path that it denies.
func (s *site) live(limit time.Duration, path string) time.Duration {
	s.t.Helper()
	return until(s.t, limit, path+" to be denied", func() bool {
		_, resp := s.ask(path, "")
		return resp.StatusCode == 404
	})
}

func (s *site) denying(path string) []byte {
	f := s.file
	f.routes = []string{fmt.Sprintf("{path: %s, deny: true}", path)}
	return []byte(s.text(f))
}

func TestEveryWayOfSavingIsLiveWithinASecond(t *testing.T) {
	s := newSite(t, 1, file{})
	write := func(data []byte, flags int) {
		t.Helper()
		f, err := os.OpenFile(s.config(), flags, 0o600)
		if err != nil {
			t.Fatal(err)
		}
		_, err = f.Write(data)
		if err != nil || f.Close() != nil {
			t.Fatal(err)
		}
	}
	for name, save := range map[string]func([]byte){
		"in_place":      func(b []byte) { write(b, os.O_WRONLY|os.O_TRUNC) },
		"renamed_over":  func(b []byte) { s.save(string(b)) },
		"deleted_first": func(b []byte) { _ = os.Remove(s.config()); write(b, os.O_WRONLY|os.O_CREATE) },
		"truncated_then_written": func(b []byte) {
			write(nil, os.O_WRONLY|os.O_TRUNC)
			time.Sleep(150 * time.Millisecond) // an editor that takes its time
			write(b, os.O_WRONLY)
		},
		"moved_away_first": func(b []byte) { _ = os.Rename(s.config(), s.config()+".bak"); write(b, os.O_WRONLY|os.O_CREATE) },
	} {
		t.Run(name, func(t *testing.T) {
			path := "/" + strings.ReplaceAll(name, "_", "")
			save(s.denying(path))
			t.Logf("live after %s", s.live(time.Second, path))
		})
	}
}

func TestKubernetesSwapOfALinkIsASave(t *testing.T) {
	s := newIdleSite(t, 1, file{})
	swap := func(version string, data []byte) {
		t.Helper()
		dir := filepath.Join(s.dir, "..v"+version)
		if err := os.Mkdir(dir, 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, "cluster.yaml"), data, 0o600); err != nil {
			t.Fatal(err)
		}
		tmp := filepath.Join(s.dir, "..data_tmp")
		if err := os.Symlink(filepath.Base(dir), tmp); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(tmp, filepath.Join(s.dir, "..data")); err != nil {
			t.Fatal(err)
		}
	}
	swap("1", []byte(s.text(s.file)))
	if err := os.Remove(s.config()); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("..data/cluster.yaml", s.config()); err != nil {
		t.Fatal(err)
	}
	s.run()
	for _, v := range []string{"2", "3"} {
		swap(v, s.denying("/version"+v))
		s.live(time.Second, "/version"+v)
	}
}

func TestAHalfWrittenFileIsNeverApplied(t *testing.T) {
	s := newSite(t, 2, file{})
	whole := s.denying("/whole")
	half := strings.Index(string(whole), "      - {name: isNode2") // good YAML, and a node short
	f, err := os.OpenFile(s.config(), os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Write(whole[:half]); err != nil {
		t.Fatal(err)
	}
	for end := time.Now().Add(time.Second); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		if st, _ := s.status(); len(st.Problems) > 0 || len(st.Pools[0].Nodes) != 2 {
			t.Fatalf("half a file was taken: %+v", st)
		}
	}
	if _, err := f.Write(whole[half:]); err != nil || f.Close() != nil {
		t.Fatal(err)
	}
	s.live(time.Second, "/whole")
}

func TestATouchPushesNothingAndTenSavesPushThreeTimesAtMost(t *testing.T) {
	s := newSite(t, 1, file{})
	before := s.updates()
	now := time.Now()
	if os.Chtimes(s.config(), now, now) != nil || os.Chmod(s.config(), 0o640) != nil {
		t.Fatal("touch")
	}
	s.save(s.text(s.file))
	time.Sleep(time.Second) // longer than a save takes to be live
	if after := s.updates(); after != before {
		t.Errorf("pushed: %v, before %v", after, before)
	}
	first, took := time.Now(), time.Duration(0)
	for i := range 10 {
		s.save(string(s.denying(fmt.Sprintf("/save%d", i))))
		took = time.Since(first)
		time.Sleep(100 * time.Millisecond)
	}
	s.live(time.Second, "/save9")
	if n, most := s.updates().routes-before.routes, 2+int(took/(500*time.Millisecond)); n > most {
		t.Errorf("ten saves within %s were pushed %d times, want %d at most", took, n, most)
	}
}

func TestAfterACrashOfUsherNothingUnchangedIsPushed(t *testing.T) {
	s := newSite(t, 2, file{})
	u := (&users{s: s, pause: 10 * time.Millisecond}).begin(30)
	before, pid := s.updates(), s.envoyPID()
	u.during(func() {
		s.usher.kill()
		time.Sleep(500 * time.Millisecond)
		s.run()
		until(t, 5*time.Second, "Envoy to be back", func() bool {
			st, _ := s.status()
			return st.Accepted && len(st.Envoys) == 1
		})
	})
	u.mustNotFail(t)
	if w, n := u.wrong(), u.closed.Load(); w+int(n) > 0 {
		t.Errorf("%d requests on a wrong node, %d connections closed", w, n)
	}
	if after := s.updates(); after != before {
		t.Errorf("pushed again: %+v, before %+v", after, before)
	}
	if now := s.envoyPID(); now != pid {
		t.Errorf("another Envoy, pid %d, was %d", now, pid)
	}
	s.change("a weight after the restart", func(f *file) { f.weight = map[string]string{"isNode1": "2"} })
}

func TestADeadEnvoyIsReplacedInSeconds(t *testing.T) {
	s := newSite(t, 2, file{})
	pid := s.envoyPID()
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	took := until(t, 5*time.Second, "another Envoy to serve", func() bool { now := s.envoyPID(); return now > 0 && now != pid && listens(s.port) })
	t.Logf("served again after %s", took)
	s.always("isNode2", "/", "JSESSIONID=ABC.isNode2")
	until(t, patience, "the restart in the status", func() bool {
		st, _ := s.status()
		return st.Supervised != nil && st.Supervised.Restarts == 1 && st.Accepted
	})
}

func TestTheEndIsOrderly(t *testing.T) {
	s := newSite(t, 1, file{})
	done := make(chan string, 1)
	go func() { node, _ := s.ask("/slow?ms=1500", ""); done <- node }()
	until(t, patience, "the slow request to be in flight", func() bool { return s.stat("http.https.downstream_rq_active") == 1 })
	pid := s.envoyPID()
	s.usher.signal(syscall.SIGTERM)
	if node := <-done; node != "isNode1" {
		t.Errorf("a request in flight at the end was answered by %q", node)
	}
	<-s.usher.done
	if code := s.usher.cmd.ProcessState.ExitCode(); code != 0 {
		t.Errorf("exit code %d", code)
	}
	if syscall.Kill(pid, 0) == nil {
		t.Error("Envoy is still there")
	}
}
