package e2e

import (
	"bufio"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"
)

// tcpNode is a server in this process that answers every line with its name in
// front of it, as any protocol over TCP might.
func tcpNode(t *testing.T, name string) (entry string, stop func()) {
	t.Helper()
	lis, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	stop = func() { _ = lis.Close() }
	t.Cleanup(stop)
	go func() {
		for {
			conn, err := lis.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close() //nolint:errcheck // the other side has gone
				for lines := bufio.NewScanner(conn); lines.Scan(); {
					_, _ = fmt.Fprintf(conn, "%s %s\n", name, lines.Text())
				}
			}()
		}
	}()
	return fmt.Sprintf("{name: %s, address: %s}", name, lis.Addr()), stop
}

// line is a connection through the balancer.
type line struct {
	net.Conn
	r    *bufio.Reader
	node string
}

// say sends a word and returns the node that answers, "" for none.
func (l *line) say(word string) string {
	_ = l.SetDeadline(time.Now().Add(patience))
	if _, err := io.WriteString(l, word+"\n"); err != nil {
		return ""
	}
	answer, err := l.r.ReadString('\n')
	node, said, _ := strings.Cut(strings.TrimSpace(answer), " ")
	if err != nil || said != word {
		return ""
	}
	return node
}

func connect(t *testing.T, port int, config *tls.Config) *line {
	t.Helper()
	conn, err := net.DialTimeout("tcp", fmt.Sprintf("127.0.0.1:%d", port), patience)
	if err != nil {
		t.Fatal(err)
	}
	if config != nil {
		conn = tls.Client(conn, config)
	}
	t.Cleanup(func() { _ = conn.Close() })
	l := &line{Conn: conn, r: bufio.NewReader(conn)}
	l.node = l.say("hello")
	return l
}

// tcpSite has a listener for TCP beside the other one.
func tcpSite(t *testing.T, keys, poolKeys string, nodes ...string) (s *site, port int) {
	t.Helper()
	port = freePort(t)
	s = newSite(t, 1, file{
		more:  fmt.Sprintf("  - {name: lines, address: 127.0.0.1:%d, %s}\n", port, keys),
		pools: fmt.Sprintf("  - {name: lines, %snodes: [%s]}\n", poolKeys, strings.Join(nodes, ", ")),
	})
	until(t, patience, "the listener for TCP", func() bool { return listens(port) })
	return s, port
}

// lines change the pool of the lines.
func (s *site) lines(what, poolKeys string, nodes ...string) {
	s.t.Helper()
	s.change(what, func(f *file) {
		f.pools = fmt.Sprintf("  - {name: lines, %snodes: [%s]}\n", poolKeys, strings.Join(nodes, ", "))
	})
}

func TestConnectionsArePassedOnToTheNodes(t *testing.T) {
	a, stopA := tcpNode(t, "a")
	b, _ := tcpNode(t, "b")
	_, port := tcpSite(t, "tcp: lines", "", a, b)
	got := map[string]int{}
	for range 20 {
		got[connect(t, port, nil).node]++
	}
	if got["a"] < 8 || got["b"] < 8 { // each of Envoy's threads takes turns by itself
		t.Errorf("connections %v", got)
	}
	stopA()
	for range 10 { // one that can't be made costs nobody a connection
		if node := connect(t, port, nil).node; node != "b" {
			t.Fatalf("node %q", node)
		}
	}
}

func TestConnectionsOverTLSArePassedOn(t *testing.T) {
	a, _ := tcpNode(t, "a")
	s, port := tcpSite(t, "hosts: [localhost], tls: {certificate: server}, tcp: lines", "", a)
	l := connect(t, port, &tls.Config{RootCAs: s.roots(), ServerName: "localhost"})
	if l.node != "a" {
		t.Errorf("node %q", l.node)
	}
}

func TestStatesOfNodesCountForConnectionsToo(t *testing.T) {
	a, _ := tcpNode(t, "a")
	b, stopB := tcpNode(t, "b")
	c, _ := tcpNode(t, "c")
	with := func(node, key string) string { return strings.TrimSuffix(node, "}") + ", " + key + "}" }
	s, port := tcpSite(t, "tcp: lines", "", with(a, "state: drain"), b, with(c, "state: standby"))
	for range 10 {
		if node := connect(t, port, nil).node; node != "b" {
			t.Fatalf("a new connection went to %q", node)
		}
	}
	stopB()
	until(t, patience, "the standby", func() bool { return connect(t, port, nil).node == "c" })
	s.lines("a is active", "", a, b, c)
	until(t, patience, "the active one", func() bool { return connect(t, port, nil).node == "a" })
}

func TestConnectionsOfADrainingNodeEndInTime(t *testing.T) {
	a, _ := tcpNode(t, "a")
	b, _ := tcpNode(t, "b")
	const keys = "drain_timeout: 1500ms, "
	s, port := tcpSite(t, "tcp: lines", keys, a, b)
	of := map[string]*line{}
	for len(of) < 2 {
		l := connect(t, port, nil)
		of[l.node] = l
	}
	drained := strings.TrimSuffix(b, "}") + ", state: drain}"
	began := time.Now()
	s.lines("b drains", keys, a, drained)
	if of["b"].say("still") != "b" || of["a"].say("still") != "a" {
		t.Fatal("a connection was cut when the drain began")
	}
	_ = of["b"].SetReadDeadline(time.Now().Add(patience))
	_, err := of["b"].r.ReadByte()
	if took := time.Since(began); err == nil || took < 1400*time.Millisecond || took > 6*time.Second {
		t.Errorf("the draining node's connection ended after %s: %v", took, err)
	}
	if of["a"].say("on") != "a" {
		t.Error("the other node's connection was cut")
	}
	s.lines("b is back", keys, a, b)
	until(t, patience, "new connections on b", func() bool { return connect(t, port, nil).node == "b" })
}

func TestIdleConnectionsEndInTime(t *testing.T) {
	a, _ := tcpNode(t, "a")
	_, port := tcpSite(t, "tcp: {pool: lines, idle_timeout: 400ms}", "", a)
	l := connect(t, port, nil)
	began := time.Now()
	_, err := l.r.ReadByte()
	if took := time.Since(began); err == nil || took < 300*time.Millisecond || took > 3*time.Second {
		t.Errorf("ended after %s: %v", took, err)
	}
}
