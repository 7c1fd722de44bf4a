package model

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
)

const maxHealthBody = 1024 // bytes of the text that an answer must have

func (k *checker) health(field string, h Health) {
	if h.Path != "" {
		k.path(field+".path", h.Path)
	} else {
		for _, key := range []string{"method", "host", "headers", "status", "body", "drain_status", "drain_header"} {
			k.required(join(field, key), k.has(join(field, key)) && !k.unread(field+".path"), key+" of a check without a path", "add path: /health, or remove it")
		}
	}
	k.required(field+".tcp_interval", k.has(field+".tcp_interval") && (h.Path == "" || h.TCP.Off()), "tcp_interval without both tcp and path", "interval is the one of a check alone")
	k.ranges(field, h)
	if h.Host != "" {
		k.hostPort(field+".host", h.Host)
	}
	k.required(field+".body", len(h.Body) > maxHealthBody, fmt.Sprintf("a text of %d bytes; %d is the most", len(h.Body), maxHealthBody), "a few words that only a healthy node says will do")
	k.required(field+".body", h.Body != "" && h.Method == HEAD, "an answer to HEAD has no body", "choose method: GET, or remove it")
	for name, value := range h.Headers {
		k.headerLine(join(field+".headers", name), name, value)
	}
	if h.DrainHeader != "" {
		k.token(field+".drain_header", h.DrainHeader, "the name of a header")
	}
}

// headerLine checks a header that a request shall carry.
func (k *checker) headerLine(field, name, value string) {
	k.token(field, name, "the name of a header")
	k.required(field, slices.Contains(framing, strings.ToLower(name)), fmt.Sprintf("%q is not sent as it is written", name), "it says how the message is made; remove it")
	k.required(field, strings.ContainsFunc(value, func(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f }), "a control character stands in the value", "write it on one line")
	k.required(field, strings.Contains(value, "%"), "a percent sign would be read as one of Envoy's variables", "remove it")
}

// framing are headers that follow from the message, or have a key of their own.
var framing = []string{"connection", "content-length", "host", "transfer-encoding", "upgrade"}

// hostPort checks HOST or HOST:PORT.
func (k *checker) hostPort(field, s string) {
	host := s
	if a, err := ParseAddress(s); err == nil {
		host = a.Host
	}
	host = strings.ToLower(strings.Trim(host, "[]"))
	_, err := netip.ParseAddr(host)
	if err != nil && (len(host) > 253 || !hostPattern.MatchString(host)) {
		k.fault(field, fmt.Sprintf("%.140q is not a host name", s), "such as is.example.org, is.example.org:9443 or 192.0.2.1")
	}
}
