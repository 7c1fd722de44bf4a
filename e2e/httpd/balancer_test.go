//go:build httpd

package httpd

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// patience bounds every wait.
const patience = 20 * time.Second

var bin string // the folder with usher

func TestMain(m *testing.M) { os.Exit(setUp(m)) }

func setUp(m *testing.M) int {
	dir, err := os.MkdirTemp("", "usher-httpd-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir) //nolint:errcheck // a temporary folder
	bin = dir
	for _, must := range []string{envoyPath(), apache} {
		if _, err := os.Stat(must); err != nil {
			fmt.Fprintf(os.Stderr, "%v\nrun `make envoy`, and install Debian's apache2-bin\n", err)
			return 1
		}
	}
	out, err := exec.Command("go", "build", "-o", bin, "usher/cmd/usher").CombinedOutput()
	if err != nil {
		fmt.Fprintf(os.Stderr, "build usher: %v\n%s", err, out)
		return 1
	}
	return m.Run()
}

func envoyPath() string {
	path, _ := filepath.Abs(filepath.Join("..", "..", ".tools", "envoy"))
	return path
}

// balancer is httpd or usher.
type balancer struct {
	name string
	port int
	said *output
}

// public is what clients ask for.
func (b balancer) public() string { return fmt.Sprintf("localhost:%d", b.port) }

type output struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buf.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buf.String()
}

// begin starts a program that ends with the test, and waits until it listens.
func begin(t *testing.T, b balancer, end syscall.Signal, name string, args ...string) balancer {
	t.Helper()
	b.said = &output{}
	cmd := exec.Command(name, args...)
	cmd.Stdout, cmd.Stderr = b.said, b.said
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() { _ = cmd.Wait(); close(done) }()
	t.Cleanup(func() {
		_ = syscall.Kill(cmd.Process.Pid, end)
		select {
		case <-done:
		case <-time.After(patience):
			_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
			<-done
		}
		if t.Failed() {
			t.Logf("%s said:\n%s", b.name, b.said)
		}
	})
	for began := time.Now(); !listens(b.port); {
		select {
		case <-done:
			t.Fatalf("%s ended:\n%s", b.name, b.said)
		case <-time.After(10 * time.Millisecond):
		}
		if time.Since(began) > patience {
			t.Fatalf("%s does not listen:\n%s", b.name, b.said)
		}
	}
	return b
}

func listens(port int) bool {
	c, err := net.DialTimeout("tcp", fmt.Sprintf("127.0.0.1:%d", port), time.Second)
	if err != nil {
		return false
	}
	_ = c.Close()
	return true
}

func freePort(t *testing.T) int {
	t.Helper()
	lis, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer lis.Close() //nolint:errcheck // only its number counts
	return lis.Addr().(*net.TCPAddr).Port
}

func write(t *testing.T, path, text string) string {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

const apache = "/usr/sbin/apache2"

// modules are those that a balancer with httpd loads.
var modules = strings.Fields("mpm_event authn_core authz_core authz_host access_compat alias headers rewrite setenvif remoteip proxy proxy_http proxy_balancer proxy_hcheck proxy_wstunnel slotmem_shm watchdog " +
	"lbmethod_byrequests lbmethod_bybusyness lbmethod_bytraffic unixd")

// startHTTPD starts a httpd with a piece of configuration in its only host.
func startHTTPD(t *testing.T, piece string) balancer {
	t.Helper()
	return startHosts(t, "<VirtualHost 127.0.0.1:$PORT>\nServerName localhost\n"+piece+"\n</VirtualHost>\n")
}

// startHosts starts a httpd whose configuration ends in a text, which finds its port
// at $PORT.
func startHosts(t *testing.T, text string) balancer {
	t.Helper()
	dir := t.TempDir()
	b := balancer{name: "httpd", port: freePort(t)}
	return begin(t, b, syscall.SIGTERM, apache, "-d", dir, "-f", confOf(t, dir, b.port, text), "-DFOREGROUND")
}

// confOf writes a whole configuration around a text.
func confOf(t *testing.T, dir string, port int, text string) string {
	t.Helper()
	var conf strings.Builder
	for _, m := range modules {
		path := "/usr/lib/apache2/modules/mod_" + m + ".so"
		if _, err := os.Stat(path); err == nil { // some are built in
			fmt.Fprintf(&conf, "LoadModule %s_module %s\n", m, path)
		}
	}
	fmt.Fprintf(&conf, `ServerName localhost
Listen 127.0.0.1:%d
PidFile %s/pid
DefaultRuntimeDir %s
Mutex posixsem
ErrorLog /dev/stderr
LogLevel crit
StartServers 1
ServerLimit 1
ThreadsPerChild 64
MaxRequestWorkers 64
KeepAliveTimeout 5
%s`, port, dir, dir, strings.ReplaceAll(text, "$PORT", fmt.Sprint(port)))
	return write(t, filepath.Join(dir, "httpd.conf"), conf.String())
}

// startUsher starts usher with a cluster file whose only listener is at $PORT.
func startUsher(t *testing.T, file string) balancer {
	t.Helper()
	dir := t.TempDir()
	b := balancer{name: "usher", port: freePort(t)}
	config := write(t, filepath.Join(dir, "cluster.yaml"), strings.ReplaceAll(file, "$PORT", fmt.Sprint(b.port)))
	return begin(t, b, syscall.SIGTERM, filepath.Join(bin, "usher"), "run", "--config", config, "--envoy", envoyPath(),
		"--xds", fmt.Sprintf("127.0.0.1:%d", freePort(t)), "--console", fmt.Sprintf("127.0.0.1:%d", freePort(t)))
}
