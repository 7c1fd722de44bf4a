package xds

import (
	"strconv"
	"time"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"

	"usher/model"
)

// strictTransport sets the header in place of a node's own: a browser takes the
// first of two (RFC 6797, 8.1), and one host should not say now this, now that,
// by whether a page came from a node.
func strictTransport(l model.Listener) []*corev3.HeaderValueOption {
	if l.TLS == nil || l.TLS.HSTS == nil {
		return nil
	}
	return []*corev3.HeaderValueOption{header("strict-transport-security", words(*l.TLS.HSTS))}
}

// words are the directives of RFC 6797, 6.1, and the one of the browsers' lists.
func words(h model.HSTS) string {
	text := "max-age=" + strconv.FormatInt(int64(h.MaxAge.Std()/time.Second), 10)
	if h.IncludeSubdomains {
		text += "; includeSubDomains"
	}
	if h.Preload {
		text += "; preload"
	}
	return text
}
