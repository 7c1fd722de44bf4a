package login

import (
	"encoding/json"
	"net/http"
	"strings"
)

// refuse answers a request that goes no further, in the way that whoever asks
// can read.
func refuse(w http.ResponseWriter, r *http.Request, code int, why string) {
	switch {
	case wantsPage(r):
		show(w, code, page{Title: http.StatusText(code), Words: why, Login: loginPath("/")})
	case strings.HasPrefix(r.URL.Path, "/api/") || strings.Contains(r.Header.Get("Accept"), "application/json"):
		w.Header().Set("Content-Type", "application/problem+json") // RFC 9457
		w.WriteHeader(code)
		_ = json.NewEncoder(w).Encode(map[string]any{"status": code, "title": why}) // the client has gone
	default:
		http.Error(w, why, code)
	}
}

// wantsPage tells whether a person sits at the other end.
func wantsPage(r *http.Request) bool {
	return strings.Contains(r.Header.Get("Accept"), "text/html")
}
