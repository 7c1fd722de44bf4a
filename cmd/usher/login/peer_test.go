package login

import (
	"context"
	"encoding/json"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"os"
	"os/user"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// socket is a client of the house's socket.
func (h *house) socket() browser {
	h.t.Helper()
	lis, err := net.Listen("unix", filepath.Join(h.t.TempDir(), "s"))
	if err != nil {
		h.t.Fatal(err)
	}
	s := httptest.NewUnstartedServer(h.Gate(Local).Wrap(rooms()))
	_ = s.Listener.Close()
	s.Listener, s.Config.ConnContext = lis, ConnContext
	s.Start()
	h.t.Cleanup(s.Close)
	b := browse(h.t, s)
	b.Transport = &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "unix", lis.Addr().String())
	}}
	b.at = "http://usher"
	return b
}

func TestAtTheSocketTheSystemSaysWhoAsks(t *testing.T) {
	h := newHouse(t)
	me, err := user.Current()
	if err != nil {
		t.Fatal(err)
	}
	got := h.socket().ask("POST", "/change", nil)
	if got.code != 200 || !strings.HasPrefix(got.body, me.Username+" is operator via socket") {
		t.Error(got)
	}
	h.mustLog("who="+me.Username, "via=socket", "from=socket", `what="a change"`)
	if _, known := peerUser(t.Context()); known {
		t.Error("a connection that nothing is known of is somebody's")
	}
}

// link asks for a one-time link, and returns its path.
func (h *house) link() string {
	h.t.Helper()
	var g given
	got := h.socket().ask("POST", "/login/link", nil)
	if err := json.Unmarshal([]byte(got.body), &g); err != nil {
		h.t.Fatal(got, err)
	}
	path, ours := strings.CutPrefix(g.URL, h.URL)
	if !ours || !strings.HasPrefix(path, "/login/link?secret=") {
		h.t.Fatal(g)
	}
	return path
}

func TestALinkMakesOperatorOnce(t *testing.T) {
	h := newHouse(t)
	for _, mode := range []Mode{Loopback, Remote} {
		s := h.door(mode)
		b, path := browse(t, s), h.link()
		if got := b.ask("HEAD", path, nil); got.code != 204 {
			t.Error("a look at the link:", got)
		}
		if got := b.get(path); got.code != 200 || !strings.Contains(got.body, `content="0; url=/"`) || !strings.Contains(got.header.Get("Set-Cookie"), "SameSite=Strict") {
			t.Fatal(got)
		}
		if got := b.get("/secret"); got.code != 200 || !strings.Contains(got.body, "is operator via link") {
			t.Error(got)
		}
		if got := browse(t, s).get(path); got.code != 403 {
			t.Error("a second time:", got)
		}
		late := h.link()
		h.clock.pass(linkLife)
		if got := browse(t, s).get(late); got.code != 403 {
			t.Error("too late:", got)
		}
		if got := browse(t, s).get("/login/link"); got.code != 403 {
			t.Error("none:", got)
		}
	}
	h.mustLog(`what="one-time link"`, "result=done")
	h.mustLog("what=login", "via=link", "result=done")
	h.mustLog("what=login", "via=link", "result=failed")
}

func TestLinksThatWaitAreFew(t *testing.T) {
	l, now := newLinks(), time.Now()
	for range mostLinks {
		if _, _, ok := l.give("alice", now); !ok {
			t.Fatal("too few")
		}
	}
	if _, _, ok := l.give("alice", now); ok {
		t.Error("too many")
	}
	if _, _, ok := l.give("alice", now.Add(linkLife)); !ok {
		t.Error("those that expired are still counted")
	}
}

func TestASessionOnLoopbackIsHeldToTheUserOfItsBrowser(t *testing.T) {
	h := newHouse(t)
	now := h.clock.now()
	id := h.sessions.begin(User{Name: "alice", Role: Operator, Via: ViaLink}, key{}, place{1000, "loopback"}, now)
	for peer, want := range map[int]bool{1000: true, 1001: false, 0: false, unknownPeer: false} {
		if got, stolen := h.sessions.find(id, place{peer, network("::1")}, false, entries{}, now); (got != nil) != want || stolen == want {
			t.Errorf("user id %d: %v", peer, got)
		}
	}
	b := browse(t, h.door(Loopback))
	b.logIn("alice", aliceSays)
	for _, s := range h.sessions.all {
		if s.user.Via == ViaPassword && s.at.peer != os.Getuid() {
			t.Errorf("the session is held to %d, and the browser is of %d", s.at.peer, os.Getuid())
		}
	}
	if got := b.ask("POST", "/change", url.Values{FormToken: {b.token()}}); got.code != 200 {
		t.Error(got)
	}
}

func TestTheSystemSaysWhoseASocketIs(t *testing.T) {
	for _, network := range []string{"127.0.0.1:0", "[::1]:0"} {
		lis, err := net.Listen("tcp", network)
		if err != nil {
			t.Skip(err) // no IPv6 here
		}
		defer lis.Close() //nolint:errcheck // a test
		client, err := net.Dial("tcp", lis.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		local, remote := netip.MustParseAddrPort(client.LocalAddr().String()), netip.MustParseAddrPort(client.RemoteAddr().String())
		if uid, err := ownerOf(local, remote); err != nil || uid != os.Getuid() {
			t.Error(network, uid, err)
		}
		if _, err := ownerOf(remote, netip.AddrPortFrom(local.Addr(), 1)); err == nil {
			t.Error("a listening socket is nobody's end")
		}
		_ = client.Close()
		if uid, err := ownerOf(local, remote); err == nil {
			t.Error("a socket that its process has closed is somebody's:", uid)
		}
	}
}
