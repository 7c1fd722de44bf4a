package login

import (
	"crypto/subtle"
	"mime"
	"net/http"
)

// What proves that a form or a script is the console's own; see Token.
const (
	FormToken   = "csrf"
	HeaderToken = "X-CSRF-Token" //nolint:gosec // G101: a name
)

// largestForm is how much of a form is read, in bytes.
const largestForm = 4 << 20

// forged says why a browser may have been led to make a request that its user
// knows nothing of. Programs with a token, and those at the socket, are no
// browsers. Browsers say where a request comes from by Sec-Fetch-Site; without it
// (before 2023) Origin has to be this host, which pages with Referrer-Policy:
// no-referrer do not send for forms: these browsers cannot log in.
func (t *Gate) forged(w http.ResponseWriter, r *http.Request, a asker) string {
	if t.mode == Local || a.Via == ViaToken {
		return ""
	}
	if foreign(r) || t.origin.Check(r) != nil {
		return "another site's page asked for it"
	}
	if readsOnly(r) || a.session == nil {
		return ""
	}
	sent := r.Header.Get(HeaderToken)
	if sent == "" && isForm(r) {
		r.Body = http.MaxBytesReader(w, r.Body, largestForm)
		sent = r.PostFormValue(FormToken)
	}
	if subtle.ConstantTimeCompare([]byte(sent), []byte(a.session.token)) != 1 {
		return "the form is not of this session: load the page again"
	}
	return ""
}

// isForm tells whether a body is a form whose fields can be read.
func isForm(r *http.Request) bool {
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	return err == nil && kind == "application/x-www-form-urlencoded"
}
