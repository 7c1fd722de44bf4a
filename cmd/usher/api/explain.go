package api

import (
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"strings"

	"usher/xds"
)

// Question is a request that shall be explained.
type Question struct {
	// URL is what the client asks for, https://host:port/path?query. The path may be
	// one that no client would send as it is.
	URL string `json:"url"`
	// Method is the request's. Default: GET.
	Method string `json:"method,omitempty"`
	// Headers are the request's, such as Cookie.
	Headers map[string][]string `json:"headers,omitempty"`
	// From is the client's address. Default: 127.0.0.1.
	From string `json:"from,omitempty"`
	// Certified says that it shows a certificate that the listener verifies.
	Certified bool `json:"certified,omitempty"`
}

func (h *handler) explain(r *http.Request) (any, error) {
	var q Question
	if err := read(r, &q); err != nil {
		return nil, err
	}
	asked, err := q.Request()
	if err != nil {
		return nil, bad("%v", err)
	}
	return h.b.Explain(r.Context(), asked)
}

// Request is the question as the translation takes it.
func (q Question) Request() (xds.Request, error) {
	scheme, rest, ok := strings.Cut(q.URL, "://")
	if !ok || scheme != "http" && scheme != "https" {
		return xds.Request{}, bad("%q is no URL: write https://HOST/PATH", q.URL)
	}
	authority, path := rest, "/"
	if i := strings.IndexAny(rest, "/?#"); i >= 0 {
		authority, path = rest[:i], rest[i:]
	}
	if !strings.HasPrefix(path, "/") {
		path = "/" + path
	}
	host, err := url.Parse(scheme + "://" + authority)
	if err != nil || host.Hostname() == "" {
		return xds.Request{}, bad("%q has no host", q.URL)
	}
	r := xds.Request{Method: q.Method, TLS: scheme == "https", Host: host.Hostname(), Path: path, Header: http.Header{}, Certified: q.Certified}
	if r.Port, err = port(host.Port()); err != nil {
		return xds.Request{}, err
	}
	for name, values := range q.Headers {
		r.Header[http.CanonicalHeaderKey(name)] = values
	}
	r.From = netip.AddrFrom4([4]byte{127, 0, 0, 1})
	if q.From != "" {
		if r.From, err = netip.ParseAddr(q.From); err != nil {
			return xds.Request{}, bad("%q is no address", q.From)
		}
	}
	return r, nil
}

// port is 0 where the URL says none.
func port(text string) (uint16, error) {
	if text == "" {
		return 0, nil
	}
	n, err := strconv.ParseUint(text, 10, 16)
	if err != nil || n == 0 {
		return 0, bad("%q is no port", text)
	}
	return uint16(n), nil
}
