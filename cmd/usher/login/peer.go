package login

import (
	"context"
	"net"
	"net/netip"
	"os/user"
	"strconv"

	"golang.org/x/sys/unix"
)

// peer is the process at the other end of a connection on this machine.
type peer struct {
	uid    int
	socket bool // it came by a unix socket
}

// unknownPeer is the user id of a process that nothing is known of.
const unknownPeer = -1

// ConnContext lets a Gate know whose process is at the other end: on the unix
// socket, and on loopback, where cookies lie open to the servers of all ports
// and a session is held to the user whose browser began it. It is the
// http.Server's.
func ConnContext(ctx context.Context, c net.Conn) context.Context {
	p := peer{uid: unknownPeer}
	switch c := c.(type) {
	case *net.UnixConn:
		p = peer{uid: socketOwner(c), socket: true}
	case *net.TCPConn:
		p.uid = loopbackOwner(c)
	}
	return context.WithValue(ctx, peerKey, p)
}

// socketOwner is the user id that the system had when the socket was opened
// (SO_PEERCRED, unix(7)).
func socketOwner(c *net.UnixConn) int {
	raw, err := c.SyscallConn()
	if err != nil {
		return unknownPeer
	}
	uid := unknownPeer
	_ = raw.Control(func(fd uintptr) { // an error leaves it unknown
		if cred, err := unix.GetsockoptUcred(int(fd), unix.SOL_SOCKET, unix.SO_PEERCRED); err == nil {
			uid = int(cred.Uid)
		}
	})
	return uid
}

// loopbackOwner asks the system whose the other end is, where that is on this
// machine.
func loopbackOwner(c *net.TCPConn) int {
	here, okHere := c.LocalAddr().(*net.TCPAddr)
	there, okThere := c.RemoteAddr().(*net.TCPAddr)
	if !okHere || !okThere || !there.IP.IsLoopback() {
		return unknownPeer
	}
	uid, err := ownerOf(plain(there.AddrPort()), plain(here.AddrPort()))
	if err != nil {
		return unknownPeer
	}
	return uid
}

func plain(a netip.AddrPort) netip.AddrPort { return netip.AddrPortFrom(a.Addr().Unmap(), a.Port()) }

// peerID is the user id of the process that asks.
func peerID(ctx context.Context) int {
	if p, ok := ctx.Value(peerKey).(peer); ok {
		return p.uid
	}
	return unknownPeer
}

// peerUser is who asks at the unix socket, by the system's name for him.
func peerUser(ctx context.Context) (User, bool) {
	p, ok := ctx.Value(peerKey).(peer)
	if !ok || !p.socket || p.uid == unknownPeer {
		return User{}, false
	}
	name := strconv.Itoa(p.uid)
	if u, err := user.LookupId(name); err == nil {
		name = u.Username
	}
	return User{Name: name, Role: Operator, Via: ViaSocket}, true
}
