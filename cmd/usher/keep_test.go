package main

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"usher/cmd/usher/status"
	"usher/model"
	"usher/xds/pki"
)

const named = `
listeners: [{name: http, address: "127.0.0.1:8080", routes: [{path: /, pool: p}]}]
pools: [{name: p, nodes: [{name: n, address: "node.example:9443"}]}]
`

// naming is a loop that asks n, and has accepted the file named.
func naming(t *testing.T, n *names) *loop {
	t.Helper()
	l := alone(t)
	l.resolver.lookup = n.lookup
	l.save(t, named)
	l.accept(time.Now())
	return l
}

// restarted is the loop of the next start over the same folder.
func (l *loop) restarted(t *testing.T, n *names) *loop {
	t.Helper()
	next := newLoop(l.places, pki.Store{Dir: l.state}, nil)
	next.elsewhere, next.leaveDue = l.elsewhere, l.leaveDue
	next.resolver.lookup = n.lookup
	next.save(t, named)
	return next
}

func (l *loop) node(now time.Time) status.Node {
	l.publishStatus(now)
	return l.status.Load().Pools[0].Nodes[0]
}

func TestARestartWhileANameDoesNotResolveServesItsLastAddress(t *testing.T) {
	n := namesOf("node.example", "192.0.2.1")
	l := naming(t, n)
	n.say("node.example")
	next := l.restarted(t, n)
	got := next.node(time.Now())
	if got.IP != "192.0.2.1" || got.Fault == "" {
		t.Errorf("node %+v", got)
	}
	if diff := cmp.Diff(string(l.now.resources.Redacted().JSON()), string(next.now.resources.Redacted().JSON())); diff != "" {
		t.Errorf("what is served changed:\n%s", diff)
	}
	if all := next.status.Load().Warnings; len(all) != 1 || !strings.HasSuffix(all[0], "; the last known address stays") {
		t.Errorf("warnings %v", all)
	}
	next.accept(time.Now())
	if got := next.restarted(t, n).node(time.Now()); got.IP != "192.0.2.1" {
		t.Errorf("after one more restart: %+v", got)
	}
}

func TestAnAnswerAtARestartBeatsTheLastAddress(t *testing.T) {
	n := namesOf("node.example", "192.0.2.1")
	l := naming(t, n)
	n.say("node.example", "192.0.2.2")
	if got := l.restarted(t, n).node(time.Now()); got.IP != "192.0.2.2" || got.Fault != "" {
		t.Errorf("node %+v", got)
	}
}

func TestAddressesAreWrittenForTheirOwnerWhenTheyChanged(t *testing.T) {
	n := namesOf("node.example", "192.0.2.1")
	l := naming(t, n)
	first := stat(t, l.lastAddresses())
	if mode := first.Mode(); mode != 0o600 {
		t.Errorf("mode %s", mode)
	}
	l.accept(time.Now())
	l.restarted(t, n).accept(time.Now())
	if !os.SameFile(first, stat(t, l.lastAddresses())) {
		t.Error("written again, and nothing had changed")
	}
	moved := answer{ip: l.now.answers[node].ip.Next()}
	l.moved(map[model.Address]answer{node: moved})
	l.accept(time.Now())
	if got := readAddresses(l.lastAddresses()); got[node] != moved.ip {
		t.Errorf("after a move: %v", got)
	}
	l.save(t, strings.Replace(named, "node.example", "192.0.2.9", 1))
	l.accept(time.Now())
	if got := readAddresses(l.lastAddresses()); len(got) != 0 {
		t.Errorf("a name that left the file: %v", got)
	}
}

var node = model.Address{Host: "node.example", Port: 9443}

func stat(t *testing.T, path string) os.FileInfo {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	return info
}

func TestAFaultInTheKeptAddressesIsNoFaultOfTheStart(t *testing.T) {
	l := naming(t, namesOf("node.example", "192.0.2.1"))
	for text, want := range map[string]string{
		``:                              "",
		`{"node.example:9443": "192.0`:  "",
		`["node.example:9443"]`:         "",
		`{"node.example:9443": "here"}`: "",
		`{"node.example:9443": ""}`:     "",
		`{"node.example": "192.0.2.1"}`: "",
		`{"other": "192.0.2.1", "node.example:9443": "192.0.2.1"}`: "192.0.2.1",
	} {
		if err := os.WriteFile(l.lastAddresses(), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if got := l.restarted(t, namesOf("node.example")).node(time.Now()); got.IP != want || got.Fault == "" {
			t.Errorf("%s: %+v", text, got)
		}
	}
	if err := os.Remove(l.lastAddresses()); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(l.lastAddresses(), 0o700); err != nil {
		t.Fatal(err)
	}
	next := l.restarted(t, namesOf("node.example", "192.0.2.1"))
	now := time.Now()
	next.accept(now)
	if got := next.node(now); got.IP != "192.0.2.1" || next.rest(now) > keepAgain {
		t.Errorf("a folder in its place: %+v, tried again in %s", got, next.rest(now))
	}
}
