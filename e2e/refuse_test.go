package e2e

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/tools/txtar"
)

var firstProblem = regexp.MustCompile(`^cluster\.yaml:(\d+):`)

func TestEveryBrokenFileIsRefusedAndHarmsNobody(t *testing.T) {
	files, err := filepath.Glob("../model/testdata/broken/*.txtar")
	if err != nil || len(files) < 60 {
		t.Fatalf("%d broken files, %v", len(files), err)
	}
	s := newSite(t, 2, file{})
	u := (&users{s: s, pause: 20 * time.Millisecond}).begin(10)
	before := s.updates()
	u.during(func() {
		for _, path := range files {
			archive, err := txtar.ParseFile(path)
			if err != nil {
				t.Fatal(err)
			}
			want := 0
			if m := firstProblem.FindSubmatch(archive.Files[1].Data); m != nil {
				want, _ = strconv.Atoi(string(m[1]))
			}
			s.save(string(archive.Files[0].Data))
			what := strings.TrimSuffix(filepath.Base(path), ".txtar")
			until(t, patience, what+" to be refused in line "+fmt.Sprint(want), func() bool {
				st, _ := s.status()
				return len(st.Problems) >= strings.Count("\n"+string(archive.Files[1].Data), "\ncluster.yaml:") &&
					st.Problems[0].Line == want && st.Serving
			})
		}
	})
	u.mustNotFail(t)
	if after := s.updates(); after != before || u.closed.Load() > 0 || u.wrong() > 0 {
		t.Errorf("pushed %+v, before %+v; %d connections closed, %d on a wrong node", after, before, u.closed.Load(), u.wrong())
	}
	s.save(string(s.denying("/good")))
	s.live(time.Second, "/good")
	if st, _ := s.status(); len(st.Problems) > 0 {
		t.Errorf("the good save left problems: %+v", st.Problems)
	}
	t.Logf("%d broken files, %d requests meanwhile", len(files), u.requests.Load())
}

// usherCLI runs another verb and returns what it says and its exit code.
func (s *site) usherCLI(args ...string) (string, int) {
	out, err := exec.Command(filepath.Join(bin, "usher"), args...).CombinedOutput()
	code := 0
	if exit, ok := err.(*exec.ExitError); ok { //nolint:errorlint // as exec returns it
		code = exit.ExitCode()
	}
	return string(out), code
}

func TestARefusedPushIsTakenBack(t *testing.T) {
	s := newSite(t, 2, file{})
	u := (&users{s: s, pause: 20 * time.Millisecond}).begin(10)
	// A port that somebody has: validation does not look, and Envoy refuses.
	lis, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer lis.Close() //nolint:errcheck // the test ends
	f := s.file
	f.more = fmt.Sprintf("  - {name: taken, address: %q, routes: [{path: /, pool: identity}]}\n", lis.Addr())
	f.routes = []string{"{path: /half, deny: true}"}
	u.during(func() {
		s.save(s.text(f))
		took := until(t, 2*time.Second, "the reason in `usher status`", func() bool {
			out, code := s.usherCLI("status", "--config", s.config())
			return code == 1 && strings.Contains(out, "Address already in use") && strings.Contains(out, "cluster.yaml:9:")
		})
		t.Logf("the reason was there after %s", took)
		until(t, time.Second, "the last accepted one to serve", func() bool {
			st, _ := s.status()
			_, resp := s.ask("/half", "")
			return st.Source == "last accepted file" && resp.StatusCode == 200
		})
		if n := s.stat("listener_manager.lds.update_rejected"); n < 1 || n > 3 {
			t.Errorf("%d NACKs", n)
		}
		s.save(string(s.denying("/next")))
		s.live(time.Second, "/next")
	})
	u.mustNotFail(t)
	if u.closed.Load() > 0 || u.wrong() > 0 {
		t.Errorf("%d connections closed, %d on a wrong node", u.closed.Load(), u.wrong())
	}
	if out, code := s.usherCLI("status", "--config", s.config()); code != 0 {
		t.Errorf("after the good save: exit %d\n%s", code, out)
	}
}

func TestWhatEnvoyWouldRefuseIsABadSave(t *testing.T) {
	s := newSite(t, 1, file{})
	before := s.updates()
	f := s.file
	f.pool = "sticky: {jvm_route: JSESSIONID}, tls: {verify: none}, health: {path: /health, interval: 100ms}"
	f.listener = "" // a certificate that only Envoy finds fault with
	dir := t.TempDir()
	if out, err := exec.Command("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:secp521r1", "-nodes",
		"-keyout", filepath.Join(dir, "k"), "-out", filepath.Join(dir, "c"), "-subj", "/CN=x", "-days", "2").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	text := strings.Replace(s.text(f), "{name: server, hosts: [localhost]}", fmt.Sprintf("{name: server, chain: %s/c, key: %s/k}", dir, dir), 1)
	_ = os.WriteFile(filepath.Join(dir, "k"), []byte("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"), 0o600)
	s.save(text)
	until(t, patience, "the refusal", func() bool { st, _ := s.status(); return len(st.Problems) > 0 })
	if after := s.updates(); after != before {
		t.Errorf("pushed %+v, before %+v", after, before)
	}
	s.save(string(s.denying("/good")))
	s.live(time.Second, "/good")
}

func TestARestartWithABrokenFileServesTheLastAccepted(t *testing.T) {
	s := newSite(t, 2, file{})
	s.change("a denied path", func(f *file) { f.routes = []string{"{path: /kept, deny: true}"} })
	s.usher.end()
	s.save("listeners: nonsense\n")
	s.startUsher("run")
	until(t, patience, "the last accepted file to serve", func() bool {
		st, ok := s.status()
		return ok && st.Serving && st.Source == "last accepted file" && len(st.Problems) > 0 && listens(s.port)
	})
	s.live(patience, "/kept")
	s.save(string(s.denying("/mended")))
	s.live(patience, "/mended")
}

func TestAFirstStartWithABrokenFileEnds(t *testing.T) {
	s := newIdleSite(t, 1, file{})
	s.save("listeners: nonsense\n")
	s.startUsher("run")
	<-s.usher.done
	if code := s.usher.cmd.ProcessState.ExitCode(); code != 1 || !strings.Contains(s.usher.output(), "cluster.yaml:1:12: listeners:") {
		t.Errorf("exit code %d:\n%s", code, s.usher.output())
	}
}
