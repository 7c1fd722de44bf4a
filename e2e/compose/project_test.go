//go:build compose

package compose

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// patience bounds every wait; what is waited for takes a second or two.
const patience = 30 * time.Second

var (
	composeCommand = flag.String("compose", "docker-compose", "the compose command, its words separated by spaces")
	projectName    = flag.String("project", "usher-test", "the project's name; what it leaves behind has it as a label")
)

// project is a copy of the deploy folder, brought up under a name and a port of
// its own.
type project struct {
	t    *testing.T
	dir  string
	name string
	port int // where clients arrive
}

func bringUp(t *testing.T) *project {
	t.Helper()
	p := &project{t: t, dir: t.TempDir(), name: *projectName, port: freePort(t)}
	for _, file := range []string{"compose.yaml", filepath.Join("cluster", "cluster.yaml")} {
		copyFile(t, filepath.Join("..", "..", "deploy", file), filepath.Join(p.dir, file))
	}
	p.compose("down", "--volumes", "--remove-orphans", "--timeout", "5") // what a run that was cut off has left
	t.Cleanup(p.takeDown)
	p.compose("up", "-d")
	return p
}

// takeDown leaves nothing behind, and shows what the containers said when a
// test has failed.
func (p *project) takeDown() {
	if p.t.Failed() {
		said, _ := p.run(p.words("logs", "--no-color", "--tail", "40"))
		p.t.Logf("the containers said:\n%s", said)
	}
	p.compose("down", "--volumes", "--remove-orphans", "--timeout", "5")
	if left := p.docker("ps", "-aq", "--filter", "label=com.docker.compose.project="+p.name); left != "" {
		p.t.Errorf("containers are left: %s", left)
	}
}

func (p *project) words(args ...string) []string {
	all := append(strings.Fields(*composeCommand), "-p", p.name, "-f", filepath.Join(p.dir, "compose.yaml"))
	return append(all, args...)
}

// compose runs a command on the project that has to succeed.
func (p *project) compose(args ...string) string {
	p.t.Helper()
	out, err := p.run(p.words(args...))
	if err != nil {
		p.t.Fatalf("compose %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return out
}

// docker runs a command that has to succeed and returns what it prints.
func (p *project) docker(args ...string) string {
	p.t.Helper()
	out, err := p.run(append([]string{"docker"}, args...))
	if err != nil {
		p.t.Fatalf("docker %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return strings.TrimSpace(out)
}

func (p *project) run(words []string) (string, error) {
	out, err := p.command(words).CombinedOutput()
	return string(out), err
}

func (p *project) command(words []string) *exec.Cmd {
	cmd := exec.Command(words[0], words[1:]...)
	cmd.Env = append(os.Environ(), fmt.Sprintf("USHER_PORT=127.0.0.1:%d", p.port))
	return cmd
}

// status is what the promises look at in `usher status --json`; the zero value
// where usher does not answer.
type status struct {
	Serving, Accepted bool
	Problems          []struct{ Field string }
	Envoys            []struct{ Trusted bool }
	Warnings          []string
	Pools             []struct{ Nodes []struct{ Health string } }
}

func (p *project) status() (st status) {
	// It exits with 1 where there are problems, and prints all the same.
	out, _ := p.command([]string{"docker", "exec", p.container("usher"), "/usher", "status", "--state", "/state", "--json"}).Output()
	_ = json.Unmarshal(out, &st) // nothing, or all of it
	return st
}

// container is the id of a service's only container.
func (p *project) container(service string) string {
	p.t.Helper()
	id := p.docker("ps", "-q", "--filter", "label=com.docker.compose.project="+p.name,
		"--filter", "label=com.docker.compose.service="+service)
	if id == "" || strings.Contains(id, "\n") {
		p.t.Fatalf("%s: want one running container, got %q", service, id)
	}
	return id
}

func (p *project) inspect(service, format string) string {
	p.t.Helper()
	return p.docker("inspect", "--format", format, p.container(service))
}

// address is where the host reaches a service on the project's network.
func (p *project) address(service, port string) string {
	p.t.Helper()
	return net.JoinHostPort(p.inspect(service, "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}"), port)
}

// fetch copies a path out of a container, volumes included.
func (p *project) fetch(service, path string) string {
	p.t.Helper()
	to := filepath.Join(p.t.TempDir(), service)
	p.docker("cp", p.container(service)+":"+path, to)
	return to
}

func (p *project) file() string { return filepath.Join(p.dir, "cluster", "cluster.yaml") }

func freePort(t *testing.T) int {
	t.Helper()
	lis, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer lis.Close() //nolint:errcheck // nobody has connected
	return lis.Addr().(*net.TCPAddr).Port
}

// copyFile makes a copy that the containers' user may read, whatever the umask.
func copyFile(t *testing.T, from, to string) {
	t.Helper()
	err := errors.Join(
		os.MkdirAll(filepath.Dir(to), 0o755),
		os.WriteFile(to, read(t, from), 0o644),
		os.Chmod(filepath.Dir(to), 0o755),
		os.Chmod(to, 0o644))
	if err != nil {
		t.Fatal(err)
	}
}

func read(t *testing.T, file string) []byte {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// until polls, with a deadline.
func until(t *testing.T, what string, ok func() bool) time.Duration {
	t.Helper()
	began := time.Now()
	for !ok() {
		if time.Since(began) > patience {
			t.Fatalf("waited %s in vain for %s", patience, what)
		}
		time.Sleep(20 * time.Millisecond)
	}
	return time.Since(began)
}
