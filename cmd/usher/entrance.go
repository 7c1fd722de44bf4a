package main

import (
	"context"
	"crypto/tls"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"os"
	"slices"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/net/netutil"

	"usher/cmd/usher/api"
	"usher/cmd/usher/login"
	"usher/xds/pki"
)

// consoleOptions say where the console is, and who may come in.
type consoleOptions struct {
	address     string
	certificate string
	users       string
	oidc        string
}

func (c *consoleOptions) flags(cmd *cobra.Command) {
	cmd.Flags().StringVar(&c.address, "console", "127.0.0.1:18080", "address of the console (a page for browsers), the API, /status.json, /healthz and /metrics; any but a loopback address has TLS and demands a login")
	cmd.Flags().StringVar(&c.certificate, "console-certificate", "", "certificate of the cluster file that such a console shows (default: one of the local CA for this machine's names)")
	usersFlag(cmd, &c.users)
	cmd.Flags().StringVar(&c.oidc, "oidc", "", "file that names an OpenID Connect provider whose users may log in")
}

// entrance is who may come in by the console's port and by the socket.
type entrance struct {
	guard *login.Guard
	mode  login.Mode
	face  *face // nil on loopback
}

// entrance refuses a console that strangers reach and nobody can log in to.
func (o *options) entrance(log *slog.Logger) (*entrance, error) {
	local, err := loopback(o.console.address)
	if err != nil {
		return nil, err
	}
	e := &entrance{mode: login.Remote}
	if local {
		e.mode = login.Loopback
	}
	known := login.Config{Log: log, Open: []string{"/healthz"}, Asks: []string{api.Prefix + "/explain", api.Prefix + "/file/preview"}, Now: time.Now}
	if known.OIDC, err = provider(o.console.oidc); err != nil {
		return nil, err
	}
	if known.Users, err = o.knownUsers(log, local); err != nil {
		return nil, err
	}
	switch {
	case local && o.console.certificate != "":
		return nil, usageError{fmt.Errorf("--console-certificate %s: --console %s is plain HTTP, for this machine alone", o.console.certificate, o.console.address)}
	case !local && known.OIDC == nil && !known.Users.Any():
		return nil, usageError{fmt.Errorf("--console %s: only a loopback address serves without a login: add a user with 'usher user add NAME --role operator', or name an OpenID provider by --oidc", o.console.address)}
	case !local:
		e.face = newFace(o.console.certificate, consoleHosts(o.console.address, known.OIDC))
	}
	e.guard = login.NewGuard(known)
	return e, nil
}

// knownUsers reads the users file. A fault in it closes no console that serves
// without a login: it has no users until it is mended.
func (o *options) knownUsers(log *slog.Logger, local bool) (*login.Users, error) {
	users, err := login.OpenUsers(o.usersFile(o.console.users), log)
	if err != nil && local {
		log.Error("the users file is faulty; nobody can log in until it is mended", "error", err)
		return users, nil
	}
	return users, err
}

// providerTimeout bounds each question to an OpenID provider.
const providerTimeout = 10 * time.Second

// provider is the OpenID provider that a file names; nil without a file.
func provider(file string) (*login.Provider, error) {
	if file == "" {
		return nil, nil
	}
	c, err := login.LoadOIDC(file)
	if err != nil {
		return nil, err
	}
	var roots []byte
	if c.CA != "" {
		if roots, err = pki.LoadRoots(c.CA); err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
	}
	transport := &http.Transport{Proxy: http.ProxyFromEnvironment, TLSClientConfig: pki.ClientTLS(roots), ForceAttemptHTTP2: true}
	return login.NewProvider(c, &http.Client{Timeout: providerTimeout, Transport: transport}, time.Now), nil
}

// open says by which URL the console is reached that listens now.
func (e *entrance) open(lis net.Listener, address string) {
	e.guard.URL = "http://" + lis.Addr().String()
	if e.mode != login.Remote {
		return
	}
	e.guard.URL = "https://" + net.JoinHostPort(reachedBy(address), fmt.Sprint(port(lis)))
	if p := e.guard.OIDC; p != nil {
		e.guard.URL = p.ConsoleURL()
	}
}

func port(lis net.Listener) int {
	if a, ok := lis.Addr().(*net.TCPAddr); ok {
		return a.Port
	}
	return 0
}

// reachedBy is the host of an address to listen on, or this machine's name.
func reachedBy(address string) string {
	host, _, _ := net.SplitHostPort(address) // loopback has looked at it
	if ip, err := netip.ParseAddr(host); host != "" && (err != nil || !ip.IsUnspecified()) {
		return host
	}
	if name, err := os.Hostname(); err == nil {
		return name
	}
	return "localhost"
}

// consoleHosts are the names of a certificate for an address to listen on: its
// host, or where that is all of them, those of this machine.
func consoleHosts(address string, p *login.Provider) []string {
	hosts := []string{reachedBy(address)}
	host, _, _ := net.SplitHostPort(address) // loopback has looked at it
	if ip, err := netip.ParseAddr(host); host == "" || err == nil && ip.IsUnspecified() {
		hosts = append(hosts, "localhost")
		hosts = append(hosts, ownAddresses()...)
	}
	if p != nil {
		hosts = append(hosts, p.ConsoleHost())
	}
	slices.Sort(hosts)
	return slices.Compact(hosts)
}

// ownAddresses are those of this machine by which others may know it.
func ownAddresses() (all []string) {
	nets, err := net.InterfaceAddrs()
	if err != nil {
		return nil
	}
	for _, n := range nets {
		prefix, err := netip.ParsePrefix(n.String())
		if err == nil && !prefix.Addr().IsLinkLocalUnicast() {
			all = append(all, prefix.Addr().String())
		}
	}
	return all
}

// mostConnections keeps strangers from taking all files that usher may open.
const mostConnections = 500

// serve answers at the console's port.
func (e *entrance) serve(ctx context.Context, lis net.Listener, h http.Handler) error {
	h = e.guard.Gate(e.mode).Wrap(h)
	if e.mode == login.Loopback {
		return serveHTTP(ctx, lis, localOnly(h), e.guard.Log, nil)
	}
	lis = netutil.LimitListener(lis, mostConnections)
	return serveHTTP(ctx, lis, h, e.guard.Log, &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: e.face.certificate})
}
