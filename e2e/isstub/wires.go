package main

import (
	"io"
	"net/http"
	"strconv"
	"time"
)

// wires are pages that use more of HTTP than a question and an answer.
func (n *node) wires() {
	n.mux.HandleFunc("/ws", n.webSocket)
	n.mux.HandleFunc("/poll", n.poll)
	n.mux.HandleFunc("/trailers", n.trailers)
	n.mux.HandleFunc("/continue", n.expect)
}

// poll answers when the time has come, or in lines on the way there.
func (n *node) poll(w http.ResponseWriter, r *http.Request) {
	limit, every := milliseconds(r, "ms"), milliseconds(r, "every")
	began := time.Now()
	if every <= 0 {
		pause(r, limit)
		answer(w, map[string]any{"node": n.name, "waited_ms": time.Since(began).Milliseconds()})
		return
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	for time.Since(began)+every <= limit && r.Context().Err() == nil {
		pause(r, every)
		if _, err := io.WriteString(w, n.name+"\n"); err != nil {
			return
		}
		_ = http.NewResponseController(w).Flush()
	}
}

func (n *node) trailers(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Trailer", "X-Trailer-Node, X-Trailer-Bytes")
	size, _ := io.Copy(io.Discard, io.LimitReader(r.Body, maxBig))
	answer(w, map[string]any{"node": n.name, "bytes": size, "trailers": r.Trailer})
	w.Header().Set("X-Trailer-Node", n.name)
	w.Header().Set("X-Trailer-Bytes", strconv.FormatInt(size, 10))
}

// expect lets the body come, which is when 100 Continue is sent, or does not.
func (n *node) expect(w http.ResponseWriter, r *http.Request) {
	status, err := strconv.Atoi(r.URL.Query().Get("refuse"))
	if err != nil || status < 400 || !answerable(status) {
		n.upload(w, r)
		return
	}
	w.WriteHeader(status)
}
