package login

import (
	"net"
	"net/http"
	"net/url"
	"strings"
)

// cookieName is that of a session's cookie. Cookies of all ports of a host lie
// together: the port tells them apart. With TLS, only this host can have set it.
func cookieName(r *http.Request) string {
	name := "usher"
	if _, port, err := net.SplitHostPort(r.Host); err == nil {
		name += "-" + port
	}
	if r.TLS != nil {
		return "__Host-" + name
	}
	return name
}

// setCookie gives a browser the cookie of its session. Strict: what another
// site leads to begins without it, see comeAgain.
func setCookie(w http.ResponseWriter, r *http.Request, value string) {
	c := &http.Cookie{Name: cookieName(r), Value: value, Path: "/", HttpOnly: true, Secure: r.TLS != nil, SameSite: http.SameSiteStrictMode} //nolint:gosec // G124: without TLS only on loopback
	if value == "" {
		c.MaxAge = -1
	}
	http.SetCookie(w, c)
}

// loginPath is the page to log in at, for one who wants to go elsewhere.
func loginPath(next string) string {
	if next == "/" {
		return "/login"
	}
	return "/login?next=" + url.QueryEscape(next)
}

// onward is where to go after a login: a path of this host, and nothing that a
// browser could take for another one.
func onward(next string) string {
	u, err := url.Parse(next)
	if err != nil || u.Scheme != "" || u.Host != "" || u.Opaque != "" || !strings.HasPrefix(next, "/") ||
		strings.HasPrefix(next, "//") || strings.ContainsAny(next, "\\\r\n\t") || isOwn(u.Path) {
		return "/"
	}
	return next
}

// isOwn tells whether a path is login's.
func isOwn(path string) bool {
	return path == "/login" || strings.HasPrefix(path, "/login/") || path == "/logout"
}
