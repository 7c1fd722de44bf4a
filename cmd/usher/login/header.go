package login

import (
	"net/http"
)

// policy lets pages use what usher itself serves, and nothing inline. Chrome
// applies form-action to where a form is redirected as well: the way to an OpenID
// provider must be a link.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; " +
	"form-action 'self'; frame-ancestors 'none'; base-uri 'none'"

// hsts is short: it binds the host name with all its ports, also those of
// others, and every visit renews it.
const hsts = "max-age=604800"

// protect sets the headers of every answer. A handler may say otherwise for
// what is no secret, such as Cache-Control of a style sheet.
func protect(h http.Header, overTLS bool) {
	h.Set("Content-Security-Policy", policy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Cache-Control", "no-store")
	if overTLS {
		h.Set("Strict-Transport-Security", hsts)
	}
}

// navigates tells whether a browser goes to a page, in a window of its own.
func navigates(r *http.Request) bool {
	return r.Method == http.MethodGet && r.Header.Get("Sec-Fetch-Mode") == "navigate" && r.Header.Get("Sec-Fetch-Dest") == "document"
}

// foreign tells whether another site's page, or one of another port here, makes
// the browser ask. It may lead its visitor to a page, and nothing else.
func foreign(r *http.Request) bool {
	switch r.Header.Get("Sec-Fetch-Site") {
	case "cross-site", "same-site":
		return !navigates(r)
	}
	return false
}
