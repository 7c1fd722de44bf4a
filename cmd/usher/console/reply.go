package console

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"strings"
)

// smallest is the size in bytes from which an answer is compressed.
const smallest = 4 << 10

// render makes the text of a template.
func render(name string, data any) []byte {
	var b bytes.Buffer
	if err := templates.ExecuteTemplate(&b, name, data); err != nil {
		panic(err) // a fault of the template, which the tests would have met
	}
	return b.Bytes()
}

// show answers with a page or a part of it, which may hold the asker's token: it is
// not compressed, so that its length tells nothing of that.
func show(w http.ResponseWriter, code int, name string, data any) {
	text := render(name, data)
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(code)
	_, _ = w.Write(text) // the client has gone
}

// poll answers what a page asks for again and again, and says nothing where nothing
// has changed.
func poll(w http.ResponseWriter, r *http.Request, kind string, text []byte) {
	sum := sha256.Sum256(text)
	if unchanged(w, r, hex.EncodeToString(sum[:12])) {
		return
	}
	w.Header().Set("Content-Type", kind)
	w.Header().Set("Vary", "Accept-Encoding")
	if len(text) < smallest || !strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
		_, _ = w.Write(text) // the client has gone
		return
	}
	w.Header().Set("Content-Encoding", "gzip")
	z, _ := gzip.NewWriterLevel(w, gzip.BestSpeed) // the level is a known one
	_, _ = z.Write(text)
	_ = z.Close() // the client has gone
}

// unchanged answers whoever has this version already.
func unchanged(w http.ResponseWriter, r *http.Request, version string) bool {
	tag := `"` + version + `"`
	w.Header().Set("ETag", tag)
	if r.Header.Get("If-None-Match") != tag {
		return false
	}
	w.WriteHeader(http.StatusNotModified)
	return true
}
