package model

import (
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"time"
)

// Balance is how a node is chosen for a request that belongs to none yet.
type Balance string

// The ways to balance, by Envoy's names in lower case.
const (
	RoundRobin   Balance = "round_robin"
	LeastRequest Balance = "least_request"
	Random       Balance = "random"
	RingHash     Balance = "ring_hash"
	Maglev       Balance = "maglev"
)

// Hashes tells whether the choice follows from a hash of the request.
func (b Balance) Hashes() bool { return b == RingHash || b == Maglev }

// State is what the operator wants of a node.
type State string

// The states of a node; httpd's status flags in brackets.
const (
	Active   State = "active"
	Drain    State = "drain"    // [N]
	Disabled State = "disabled" // [D]
	Standby  State = "standby"  // [H]
	Spare    State = "spare"    // [R]
)

// OnFailure is what becomes of a session whose node can't serve.
type OnFailure string

// The ways to end or to go on.
const (
	Failover OnFailure = "failover"
	Error    OnFailure = "error"
)

// Protocol is what nodes speak.
type Protocol string

// The protocols.
const (
	HTTP1 Protocol = "http1"
	HTTP2 Protocol = "http2"
)

// Switch is a yes or no whose default is not no; empty is left out.
type Switch string

// The positions of a Switch.
const (
	On  Switch = "true"
	Off Switch = "false"
)

// Preset is a product whose wishes are known.
type Preset string

// WSO2IS is WSO2 Identity Server.
const WSO2IS Preset = "wso2-is"

// HealthPreset is a product whose health is known.
type HealthPreset string

// HealthWSO2 is the health API of WSO2 products.
const HealthWSO2 HealthPreset = "wso2"

// The words of a pool's host beside a name.
const (
	HostKeep = "keep"
	HostNode = "node"
)

// Stdout is the file of an access log that goes where Envoy's output goes.
const Stdout = "stdout"

// NoText is the word for a text that shall not be there.
const NoText = "off"

// LogFormat is how the access log is written.
type LogFormat string

// The formats.
const (
	LogJSON     LogFormat = "json"
	LogCombined LogFormat = "combined"
)

// SameSite is when a browser sends a cookie that another site's page asks for
// (RFC 6265bis, 4.1.2.7).
type SameSite string

// The words, from the widest on.
const (
	SameSiteNone   SameSite = "none"
	SameSiteLax    SameSite = "lax"
	SameSiteStrict SameSite = "strict"
)

// Method is how a health check asks.
type Method string

// The methods that have no body.
const (
	GET     Method = "GET"
	HEAD    Method = "HEAD"
	OPTIONS Method = "OPTIONS"
)

// Verify is how a node's certificate is judged.
type Verify string

// The ways to judge.
const (
	VerifyCA   Verify = "ca"
	VerifyPin  Verify = "pin"
	VerifyNone Verify = "none"
)

// TLSVersion is a version of TLS.
type TLSVersion string

// The versions that are offered; older ones are broken (RFC 8996).
const (
	TLS12 TLSVersion = "1.2"
	TLS13 TLSVersion = "1.3"
)

// ClientMode is whether a client must have a certificate.
type ClientMode string

// The ways to ask.
const (
	ClientRequire ClientMode = "require"
	ClientRequest ClientMode = "request"
)

// ClientFormat is how a node is told of a client's certificate.
type ClientFormat string

// The formats.
const (
	FormatPEM         ClientFormat = "pem"
	FormatSubject     ClientFormat = "subject"
	FormatFingerprint ClientFormat = "fingerprint"
)

// Redirect is where a listener sends everybody.
type Redirect string

// RedirectHTTPS is the only place yet.
const RedirectHTTPS Redirect = "https"

// Port is a TCP port, 1 to 65535.
type Port uint16

// KeyType is the kind of a certificate's key.
type KeyType string

// The kinds.
const (
	ECDSA KeyType = "ecdsa"
	RSA   KeyType = "rsa"
)

// Challenge is how an ACME directory is shown that a host is ours.
type Challenge string

// The challenges that usher answers.
const (
	HTTP01    Challenge = "http-01"
	TLSALPN01 Challenge = "tls-alpn-01"
)

// Off tells whether it is set to false.
func (s Switch) Off() bool { return s == Off }

// Percent is a share, 0 to 100.
type Percent float64

// Weight is a node's share, 0.01 to 100.
type Weight float64

// Duration is a time span, written as Go does (300ms, 1h30m) or in days (90d).
type Duration time.Duration

// Std is the span as Go's standard library knows it.
func (d Duration) Std() time.Duration { return time.Duration(d) }

// String writes whole days as such and everything else as Go does.
func (d Duration) String() string {
	if day := 24 * time.Hour; d != 0 && d.Std()%day == 0 {
		return strconv.FormatInt(int64(d.Std()/day), 10) + "d"
	}
	text := d.Std().String()
	for _, unit := range []string{"m0s", "h0m"} { // 1m, not 1m0s
		if strings.HasSuffix(text, unit) {
			text = text[:len(text)-2]
		}
	}
	return text
}

// ParseDuration reads a span: any of Go's units, and d for 24 hours in front
// of them, such as 1d12h.
func ParseDuration(s string) (Duration, error) {
	days, rest, found := strings.Cut(s, "d")
	if !found {
		d, err := time.ParseDuration(s)
		return Duration(d), err
	}
	n, err := strconv.ParseUint(days, 10, 16)
	if err != nil {
		return 0, fmt.Errorf("%q does not begin with a number of days", s)
	}
	total := time.Duration(n) * 24 * time.Hour
	if rest != "" {
		more, err := time.ParseDuration(rest)
		if err != nil || more < 0 {
			return 0, fmt.Errorf("%q is no time after the days of %q", rest, s)
		}
		total += more
	}
	return Duration(total), nil
}

// Address is a host, by name or by IP address, and a port.
type Address struct {
	Host string
	Port uint16
}

// String is HOST:PORT, an IPv6 address in brackets.
func (a Address) String() string {
	return net.JoinHostPort(a.Host, strconv.Itoa(int(a.Port)))
}

// IP is the address's host where it is an IP address, else the zero Addr.
func (a Address) IP() netip.Addr {
	ip, err := netip.ParseAddr(a.Host)
	if err != nil {
		return netip.Addr{}
	}
	return ip
}

// ParseAddress reads HOST:PORT. The host may be empty, the port is 1 to 65535.
func ParseAddress(s string) (Address, error) {
	host, port, err := net.SplitHostPort(s)
	if err != nil {
		return Address{}, fmt.Errorf("%q is not HOST:PORT", s)
	}
	n, err := strconv.ParseUint(port, 10, 16)
	if err != nil || n == 0 {
		return Address{}, fmt.Errorf("%q is not a port", port)
	}
	return Address{Host: host, Port: uint16(n)}, nil
}
