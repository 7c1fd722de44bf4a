package model

import (
	"fmt"
	"net/netip"
	"regexp"
	"strconv"
	"strings"
)

// Network is an IP address or all of a network.
type Network struct{ netip.Prefix }

// ParseNetwork reads 192.0.2.1, 10.0.0.0/8 or 2001:db8::/32.
func ParseNetwork(s string) (Network, error) {
	if ip, err := netip.ParseAddr(s); err == nil && ip.Zone() == "" {
		return Network{netip.PrefixFrom(ip.Unmap(), ip.Unmap().BitLen())}, nil
	}
	p, err := netip.ParsePrefix(s)
	if err != nil {
		return Network{}, fmt.Errorf("%.140q is neither an IP address nor a network", s)
	}
	if a := p.Addr(); a.Is4In6() && p.Bits() >= 96 {
		p = netip.PrefixFrom(a.Unmap(), p.Bits()-96)
	}
	return Network{p.Masked()}, nil
}

// The ends of what single values may be.
const (
	leastWeight, mostWeight = 0.01, 100
	leastStatus, mostStatus = 100, 599
	mostCount               = 1<<30 - 1
	mostPort                = 65535
)

// Status is an HTTP status, 100 to 599.
type Status uint16

// StatusRange are the statuses from From to To.
type StatusRange struct{ From, To Status }

// ParseStatusRange reads 200, 200-399 or 2xx.
func ParseStatusRange(s string) (StatusRange, error) {
	text := s
	if class, ok := strings.CutSuffix(s, "xx"); ok {
		text = class + "00-" + class + "99"
	}
	first, last, isRange := strings.Cut(text, "-")
	if !isRange {
		last = first
	}
	from, err := strconv.ParseUint(first, 10, 16)
	to, err2 := strconv.ParseUint(last, 10, 16)
	if err != nil || err2 != nil || from < leastStatus || to > mostStatus || from > to {
		return StatusRange{}, fmt.Errorf("%.140q is no HTTP status and no range of them", s)
	}
	return StatusRange{Status(from), Status(to)}, nil
}

// String is 200 or 200-399.
func (r StatusRange) String() string {
	if r.From == r.To {
		return strconv.Itoa(int(r.From))
	}
	return fmt.Sprintf("%d-%d", r.From, r.To)
}

// Has tells whether a status is in the range.
func (r StatusRange) Has(s Status) bool { return r.From <= s && s <= r.To }

// Count is how many, 0 to 2^30 - 1.
type Count uint32

// Regex is an expression of RE2.
type Regex string

// maxRegex bounds an expression: what it costs grows with its length.
const maxRegex = 1024

// ParseRegex reads an expression that Envoy takes: both are RE2.
func ParseRegex(s string) (Regex, error) {
	if len(s) > maxRegex {
		return "", fmt.Errorf("an expression of %d characters; %d is the most", len(s), maxRegex)
	}
	if _, err := regexp.Compile(s); err != nil {
		return "", fmt.Errorf("%.140q is no expression: %s", s, strings.TrimPrefix(err.Error(), "error parsing regexp: "))
	}
	return Regex(s), nil
}
