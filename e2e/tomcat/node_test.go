//go:build tomcat

package tomcat

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// applications are the paths that the same web application has on every node:
// Tomcat gives each a JSESSIONID of its own.
var applications = map[string]string{"/": "ROOT", "/shop/": "shop", "/desk/": "desk", "/told/": "told"}

// node is one Tomcat with a folder of its own (CATALINA_BASE).
type node struct {
	*process
	name             string
	base             string
	plain, told, tls int // its ports, see testdata/conf/server.xml
	public           int // what it is told of the balancer's
}

// home is where Debian's package tomcat10-common puts Tomcat, or CATALINA_HOME.
func home() string {
	if dir := os.Getenv("CATALINA_HOME"); dir != "" {
		return dir
	}
	return "/usr/share/tomcat10"
}

func newNode(t *testing.T, name, base string, ports []int, public int) *node {
	t.Helper()
	n := &node{name: name, base: base, plain: ports[0], told: ports[1], tls: ports[2], public: public}
	must(t, os.CopyFS(filepath.Join(base, "conf"), os.DirFS("testdata/conf")))
	must(t, os.Mkdir(filepath.Join(base, "temp"), 0o700))
	for _, folder := range applications {
		must(t, os.CopyFS(filepath.Join(base, "webapps", folder), os.DirFS("testdata/app")))
	}
	must(t, os.CopyFS(filepath.Join(base, "webapps", "told"), os.DirFS("testdata/told")))
	return n
}

// start runs it in the foreground: catalina.sh becomes the JVM. It is small and
// compiles little, so that it starts fast on a busy machine, and leaves nothing in
// the system's temporary folder.
func (n *node) start(t *testing.T) {
	t.Helper()
	options := fmt.Sprintf("-DjvmRoute=%s -Dport.plain=%d -Dport.told=%d -Dport.tls=%d -Dport.public=%d -Xmx128m -XX:TieredStopAtLevel=1 -XX:+UseSerialGC -XX:-UsePerfData",
		n.name, n.plain, n.told, n.tls, n.public)
	n.process = start(t, []string{"CATALINA_HOME=" + home(), "CATALINA_BASE=" + n.base, "CATALINA_OPTS=" + options, "JAVA_OPTS="},
		filepath.Join(home(), "bin", "catalina.sh"), "run")
}

// ready waits until every application has answered once, its pages compiled, and
// then warms the JVM up for TLS: the first handshakes of 25 users at a time take so
// long on a busy core that usher, which gives up after a second, would send them
// elsewhere.
func (n *node) ready(t *testing.T) time.Duration {
	t.Helper()
	client := &http.Client{Timeout: patience, Transport: &http.Transport{DisableKeepAlives: true,
		TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}} //nolint:gosec // a node on loopback
	took := until(t, n.name+" to serve", func() bool {
		if n.ended() {
			t.Fatalf("%s ended:\n%s", n.name, n.last(20))
		}
		for path := range applications {
			if n.answers(client, fmt.Sprintf("http://127.0.0.1:%d%s", n.plain, path)) != nil {
				return false
			}
		}
		return true
	})
	cold := together(make([]int, 25), func(int) error { return n.answers(client, fmt.Sprintf("https://127.0.0.1:%d/", n.tls)) })
	must(t, errors.Join(cold...))
	return took
}

func (n *node) answers(client *http.Client, url string) error {
	resp, err := client.Get(url)
	if err != nil {
		return err
	}
	_ = resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%s of %s: %s", url, n.name, resp.Status)
	}
	return nil
}

// stop ends it in the end of the tests, and shows its last words where one failed.
func (n *node) stop(t *testing.T) {
	if n.process == nil {
		return
	}
	n.kill()
	if t.Failed() {
		t.Logf("%s said:\n%s", n.name, n.last(20))
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// routeOf is the name in a session id.
func routeOf(session string) string {
	_, route, _ := strings.Cut(session, ".")
	return route
}
