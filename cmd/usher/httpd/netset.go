package httpd

import (
	"cmp"
	"encoding/binary"
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

// netset is a set of IP addresses, as the networks that they make up.
type netset []netip.Prefix

// everybody are all addresses there are.
func everybody() netset {
	return netset{netip.PrefixFrom(netip.IPv4Unspecified(), 0), netip.PrefixFrom(netip.IPv6Unspecified(), 0)}
}

// maxNetworks is how many a path may name. What is closed to some networks is open
// to the rest, which are many more.
const maxNetworks = 1000

func (s netset) has(p netip.Prefix) bool {
	return slices.ContainsFunc(s, func(o netip.Prefix) bool { return o.Bits() <= p.Bits() && o.Contains(p.Addr()) })
}

// all tells whether everybody is in the set.
func (s netset) all() bool {
	return !slices.ContainsFunc(everybody(), func(p netip.Prefix) bool { return !s.has(p) })
}

// and are the addresses of both.
func (s netset) and(o netset) (both netset) {
	for _, p := range s {
		if o.has(p) {
			both = append(both, p)
		}
	}
	for _, p := range o {
		if s.has(p) {
			both = append(both, p)
		}
	}
	return both.tidy()
}

// or are the addresses of either.
func (s netset) or(o netset) netset { return append(slices.Clone(s), o...).tidy() }

// without are the addresses that are not in another set.
func (s netset) without(o netset) (rest netset) {
	for _, p := range s {
		rest = append(rest, less(p, o)...)
	}
	return rest.tidy()
}

// less is a network without some: halved where they are a part of it.
func less(p netip.Prefix, o netset) netset {
	if o.has(p) {
		return nil
	}
	if !slices.ContainsFunc(o, func(q netip.Prefix) bool { return q.Overlaps(p) }) {
		return netset{p}
	}
	low, high := halves(p)
	return append(less(low, o), less(high, o)...)
}

func halves(p netip.Prefix) (low, high netip.Prefix) {
	bits := p.Bits() + 1
	raw := p.Addr().AsSlice()
	raw[(bits-1)/8] |= 1 << (7 - (bits-1)%8)
	upper, _ := netip.AddrFromSlice(raw) // of 4 or 16 bytes
	return netip.PrefixFrom(p.Addr(), bits), netip.PrefixFrom(upper, bits)
}

// tidy leaves out what others cover, and puts the rest into order.
func (s netset) tidy() (all netset) {
	sorted := slices.Clone(s)
	slices.SortFunc(sorted, func(a, b netip.Prefix) int {
		return cmp.Or(cmp.Compare(a.Bits(), b.Bits()), a.Addr().Compare(b.Addr()))
	})
	for _, p := range sorted {
		if !all.has(p) {
			all = append(all, p)
		}
	}
	slices.SortFunc(all, func(a, b netip.Prefix) int { return a.Addr().Compare(b.Addr()) })
	return all
}

// texts are the networks as people write them.
func (s netset) texts() (all []string) {
	for _, p := range s {
		if p.IsSingleIP() {
			all = append(all, p.Addr().String())
		} else {
			all = append(all, p.String())
		}
	}
	return all
}

// networksOf reads an address as Allow and Require ip do: 10.1.2.3, 10.1 for all
// that begins so, 10.1.0.0/16, 10.1.0.0/255.255.0.0, or IPv6.
func networksOf(text string) (netset, bool) {
	if strings.EqualFold(text, "localhost") {
		return local(), true
	}
	address, mask, masked := strings.Cut(text, "/")
	ip, err := netip.ParseAddr(address)
	if err != nil {
		p, ok := partial(address)
		return netset{p}, ok && !masked
	}
	ip = ip.Unmap().WithZone("")
	if !masked {
		return netset{netip.PrefixFrom(ip, ip.BitLen())}, true
	}
	bits, err := strconv.Atoi(mask)
	if err != nil {
		bits = maskBits(mask)
	}
	p, err := ip.Prefix(bits)
	return netset{p}, err == nil
}

// local is what Require local lets in.
func local() netset {
	return netset{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128")}
}

// partial reads the first bytes of an IPv4 address.
func partial(text string) (netip.Prefix, bool) {
	parts := strings.Split(strings.TrimSuffix(text, "."), ".")
	if len(parts) > 3 {
		return netip.Prefix{}, false
	}
	var raw [4]byte
	for i, part := range parts {
		n, err := strconv.ParseUint(part, 10, 8)
		if err != nil {
			return netip.Prefix{}, false
		}
		raw[i] = byte(n)
	}
	return netip.PrefixFrom(netip.AddrFrom4(raw), 8*len(parts)), true
}

// maskBits are those of a mask such as 255.255.0.0, -1 where it is none.
func maskBits(mask string) int {
	ip, err := netip.ParseAddr(mask)
	if err != nil || !ip.Is4() {
		return -1
	}
	raw := ip.As4()
	n := binary.BigEndian.Uint32(raw[:])
	for bits := range 33 {
		if n == ^uint32(0)<<(32-bits) {
			return bits
		}
	}
	return -1
}
