package main

import (
	"net"
	"net/netip"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"usher/model"
)

// listening is a node on this address; port 0 takes a free one.
func listening(t *testing.T, ip string, port uint16) (lis net.Listener, taken uint16) {
	t.Helper()
	lis, err := net.Listen("tcp", netip.AddrPortFrom(netip.MustParseAddr(ip), port).String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = lis.Close() })
	return lis, lis.Addr().(*net.TCPAddr).AddrPort().Port()
}

// dropping is a port of 127.0.0.1 that drops SYNs, as a firewall does: its
// backlog is full.
func dropping(t *testing.T) uint16 {
	t.Helper()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	open := func(kind int) int {
		fd, err := unix.Socket(unix.AF_INET, kind|unix.SOCK_CLOEXEC, 0)
		must(err)
		t.Cleanup(func() { _ = unix.Close(fd) })
		return fd
	}
	fd := open(unix.SOCK_STREAM)
	must(unix.Bind(fd, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}))
	must(unix.Listen(fd, 0))
	name, err := unix.Getsockname(fd)
	must(err)
	for range 4 {
		_ = unix.Connect(open(unix.SOCK_STREAM|unix.SOCK_NONBLOCK), name)
	}
	return uint16(name.(*unix.SockaddrInet4).Port) //nolint:gosec // a port has 16 bits
}

func TestOfSeveralAddressesTheFirstThatAnswersIsTaken(t *testing.T) {
	_, port := listening(t, "127.0.0.2", 0)
	r := newResolver()
	r.lookup = namesOf("many", "::1", "127.0.0.3", "127.0.0.2").lookup
	a := model.Address{Host: "many", Port: port}
	r.asks(t, a)[a].mustBe(t, "127.0.0.2", false)
	listening(t, "127.0.0.3", port)
	listening(t, "::1", port)
	r.one(t.Context(), a, answer{}).mustBe(t, "127.0.0.2", false) // all answer: the first in order
	b := model.Address{Host: "many", Port: 1}
	r.asks(t, b)[b].mustBe(t, "127.0.0.2", false) // nobody answers: the first in order stands in
}

func TestAnAddressThatDropsConnectsHidesNoLivingOne(t *testing.T) {
	port := dropping(t)
	listening(t, "127.0.0.2", port)
	r := newResolver()
	r.lookup = namesOf("many", "127.0.0.1", "127.0.0.2").lookup
	a := model.Address{Host: "many", Port: port}
	began := time.Now()
	found := r.asks(t, a)[a]
	found.mustBe(t, "127.0.0.2", false)
	if took := time.Since(began); !found.alive || took > saveWaits+time.Second/2 {
		t.Errorf("alive %v, after %s", found.alive, took)
	}
}

func TestWhatIsServedStaysWhileItAnswers(t *testing.T) {
	lis, port := listening(t, "127.0.0.3", 0)
	n := namesOf("many", "127.0.0.2", "127.0.0.3", "127.0.0.4")
	r := newResolver()
	r.lookup = n.lookup
	a := model.Address{Host: "many", Port: port}
	was := r.one(t.Context(), a, answer{})
	was.mustBe(t, "127.0.0.3", false)
	other, _ := listening(t, "127.0.0.2", port)
	was = r.one(t.Context(), a, was)
	was.mustBe(t, "127.0.0.3", false)
	r.one(t.Context(), a, answer{ip: was.ip}).mustBe(t, "127.0.0.3", false) // as after a restart
	n.say("many", "127.0.0.2", "127.0.0.3")                                 // another set with it
	was = r.one(t.Context(), a, was)
	was.mustBe(t, "127.0.0.3", false)
	_ = lis.Close()
	was = r.one(t.Context(), a, was)
	was.mustBe(t, "127.0.0.2", false)
	listening(t, "127.0.0.3", port)
	was = r.one(t.Context(), a, was)
	was.mustBe(t, "127.0.0.2", false) // it does not go back
	_ = other.Close()
	n.say("many", "127.0.0.2", "127.0.0.4")
	was = r.one(t.Context(), a, was)
	was.mustBe(t, "127.0.0.2", false) // nobody answers: it stands in
	if was.alive {
		t.Error("a stand-in counts as alive")
	}
	n.say("many", "127.0.0.3", "127.0.0.4")
	r.one(t.Context(), a, was).mustBe(t, "127.0.0.3", false) // the name points elsewhere
}
