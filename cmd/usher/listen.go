package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"syscall"
)

// listenTCP listens, and says which option to change when it can't.
func listenTCP(option, address string) (net.Listener, error) {
	lis, err := net.Listen("tcp", address)
	if errors.Is(err, syscall.EADDRINUSE) {
		return nil, fmt.Errorf("%s %s: the port is taken by another program; stop it or choose another port", option, address)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", option, err)
	}
	return lis, nil
}

// socketPathLimit is what fits into sockaddr_un on every system that matters
// (104 bytes on BSD, 108 on Linux, the final zero included).
const socketPathLimit = 103

// listenUnix listens on a socket that only this user may open. What another
// usher left behind is removed: the lock on the state folder says that it is
// gone. A path too long for a socket's address is reached by its folder's
// descriptor.
func listenUnix(path string) (net.Listener, error) {
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("remove the old socket: %w", err)
	}
	short := path
	if len(path) > socketPathLimit {
		dir, err := os.Open(filepath.Dir(path))
		if err != nil {
			return nil, err
		}
		defer dir.Close() //nolint:errcheck // read only
		short = fmt.Sprintf("/proc/self/fd/%d/%s", dir.Fd(), filepath.Base(path))
	}
	old := syscall.Umask(0o177)
	lis, err := net.Listen("unix", short)
	syscall.Umask(old)
	if err != nil {
		return nil, fmt.Errorf("listen on %s: %w", path, err)
	}
	return lis, nil
}

// loopback tells whether only this machine can reach an address to listen on.
// A name other than localhost is not trusted to stay what it is.
func loopback(address string) (bool, error) {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return false, usageError{fmt.Errorf("%q is not HOST:PORT", address)}
	}
	if host == "localhost" {
		return true, nil
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.IsLoopback(), nil
}

// dialUnix connects to a socket, however long its path.
func dialUnix(path string) func(context.Context, string, string) (net.Conn, error) {
	return func(ctx context.Context, _, _ string) (net.Conn, error) {
		if len(path) <= socketPathLimit {
			return (&net.Dialer{}).DialContext(ctx, "unix", path)
		}
		dir, err := os.Open(filepath.Dir(path))
		if err != nil {
			return nil, err
		}
		defer dir.Close() //nolint:errcheck // read only
		return (&net.Dialer{}).DialContext(ctx, "unix", fmt.Sprintf("/proc/self/fd/%d/%s", dir.Fd(), filepath.Base(path)))
	}
}
