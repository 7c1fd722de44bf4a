package main

import (
	"io"
	"net/http"
	"strings"
)

const decisionPoint = "/api/identity/entitlement/decision/pdp"

func (n *node) entitlement() {
	n.mux.HandleFunc(decisionPoint, n.pdp)
	n.mux.HandleFunc("/t/{tenant}"+decisionPoint, n.pdp)
	n.mux.HandleFunc("/services/EntitlementService", n.soap)
	n.mux.HandleFunc("/services/AuthenticationAdmin", n.soap)
}

// format is one that XACML is written in.
type format struct {
	word, mediaType string
	read            func([]byte) (request, error)
	write           func([]string) []byte
}

var formats = []format{
	{"json", "application/json", readJSON, writeJSON},
	{"xml", "application/xml", readXML, writeXML},
}

func formatOf(header string) (format, bool) {
	for _, f := range formats {
		if strings.Contains(header, f.word) {
			return f, true
		}
	}
	return format{}, false
}

// pdp decides in the format that the client accepts, or else in that of its
// question.
func (n *node) pdp(w http.ResponseWriter, r *http.Request) {
	body, ok := posted(w, r)
	if !ok {
		return
	}
	asked, ok := formatOf(r.Header.Get("Content-Type"))
	if !ok {
		http.Error(w, "neither JSON nor XML", http.StatusUnsupportedMediaType)
		return
	}
	decisions, err := asked.decisions(body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	wanted, ok := formatOf(r.Header.Get("Accept"))
	if !ok {
		wanted = asked
	}
	w.Header().Set("Content-Type", wanted.mediaType)
	_, _ = w.Write(wanted.write(decisions)) // the client may go
}

func (f format) decisions(body []byte) ([]string, error) {
	q, err := f.read(body)
	if err != nil {
		return nil, err
	}
	return q.decisions()
}

// posted is the body of a POST; everything else is answered.
func posted(w http.ResponseWriter, r *http.Request) ([]byte, bool) {
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		http.Error(w, "POST a question", http.StatusMethodNotAllowed)
		return nil, false
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxAsked))
	if err != nil {
		http.Error(w, err.Error(), http.StatusRequestEntityTooLarge)
		return nil, false
	}
	return body, true
}
