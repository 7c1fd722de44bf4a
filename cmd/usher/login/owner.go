package login

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"time"

	"golang.org/x/sys/unix"
)

// The layout of sock_diag(7)'s question and answer, in bytes: struct nlmsghdr, then
// struct inet_diag_req_v2 or inet_diag_msg, each with a struct inet_diag_sockid.
const (
	headerSize   = unix.SizeofNlMsghdr
	questionSize = headerSize + 56
	sockID       = 8  // where the id begins in a question
	answerState  = 1  // where the state is in an answer
	answerUID    = 64 // where the user id is
	answerSize   = 72
	established  = 1 // TCP_ESTABLISHED; a socket that its process has closed counts as root's
)

// ownerOf is the user id of the process with the end `local` of an established TCP
// connection to `remote`, both on this machine.
func ownerOf(local, remote netip.AddrPort) (int, error) {
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, unix.NETLINK_SOCK_DIAG)
	if err != nil {
		return 0, fmt.Errorf("ask the system for sockets: %w", err)
	}
	defer unix.Close(fd) //nolint:errcheck // nothing is lost
	patience := unix.NsecToTimeval(int64(time.Second))
	if err := unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &patience); err != nil {
		return 0, err
	}
	if err := unix.Sendto(fd, questionFor(local, remote), 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}); err != nil {
		return 0, fmt.Errorf("ask the system for a socket: %w", err)
	}
	answer := make([]byte, 4096)
	n, _, err := unix.Recvfrom(fd, answer, 0)
	if err != nil {
		return 0, fmt.Errorf("hear of a socket: %w", err)
	}
	return ownerIn(answer[:n])
}

func questionFor(local, remote netip.AddrPort) []byte {
	q := make([]byte, questionSize)
	binary.NativeEndian.PutUint32(q[0:], questionSize)
	binary.NativeEndian.PutUint16(q[4:], unix.SOCK_DIAG_BY_FAMILY)
	binary.NativeEndian.PutUint16(q[6:], unix.NLM_F_REQUEST)
	body := q[headerSize:]
	body[0] = unix.AF_INET
	if local.Addr().Is6() {
		body[0] = unix.AF_INET6
	}
	body[1] = unix.IPPROTO_TCP
	binary.NativeEndian.PutUint32(body[4:], 1<<established)
	id := body[sockID:]
	binary.BigEndian.PutUint16(id[0:], local.Port())
	binary.BigEndian.PutUint16(id[2:], remote.Port())
	copy(id[4:20], local.Addr().AsSlice())
	copy(id[20:36], remote.Addr().AsSlice())
	binary.NativeEndian.PutUint64(id[40:], ^uint64(0)) // INET_DIAG_NOCOOKIE
	return q
}

func ownerIn(answer []byte) (int, error) {
	if len(answer) < headerSize+answerSize || binary.NativeEndian.Uint16(answer[4:]) != unix.SOCK_DIAG_BY_FAMILY {
		return 0, errors.New("the system knows no such socket")
	}
	if body := answer[headerSize:]; body[answerState] == established {
		return int(binary.NativeEndian.Uint32(body[answerUID:])), nil
	}
	return 0, errors.New("the socket is closed")
}
