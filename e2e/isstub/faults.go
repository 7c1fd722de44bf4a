package main

import (
	"io"
	"net"
	"net/http"
	"strconv"
	"time"
)

// What a request may ask for, and say, at most.
const (
	maxSlow  = 10 * time.Minute
	maxBig   = 1 << 30 // bytes
	maxAsked = 1 << 20 // bytes of a form, a question, a line
)

// faults are pages that behave badly on demand.
func (n *node) faults() {
	n.mux.HandleFunc("/slow", func(w http.ResponseWriter, r *http.Request) { // ?ms=
		pause(r, milliseconds(r, "ms"))
		n.page(w, r)
	})
	n.mux.HandleFunc("/hang", func(_ http.ResponseWriter, r *http.Request) { pause(r, maxSlow) })
	n.mux.HandleFunc("/reset", reset)
	n.mux.HandleFunc("/status/{code}", func(w http.ResponseWriter, r *http.Request) {
		if code, err := strconv.Atoi(r.PathValue("code")); err == nil && answerable(code) {
			w.WriteHeader(code)
		}
	})
	n.mux.HandleFunc("/big", func(w http.ResponseWriter, r *http.Request) { // ?bytes=
		size, _ := strconv.ParseInt(r.FormValue("bytes"), 10, 64)
		_, _ = io.CopyN(w, zeros{}, min(size, maxBig)) // the client may go
	})
	n.mux.HandleFunc("/upload", n.upload)
}

func (n *node) upload(w http.ResponseWriter, r *http.Request) {
	size, err := io.Copy(io.Discard, r.Body)
	answer(w, map[string]any{"node": n.name, "bytes": size, "whole": err == nil})
}

// answerable tells whether a status ends a request.
func answerable(status int) bool { return status >= 200 && status < 600 }

// milliseconds are those of a parameter, none where it has none.
func milliseconds(r *http.Request, name string) time.Duration {
	ms, _ := strconv.Atoi(r.URL.Query().Get(name))
	return min(time.Duration(ms)*time.Millisecond, maxSlow)
}

func pause(r *http.Request, d time.Duration) {
	if d <= 0 {
		return
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-r.Context().Done():
	}
}

// reset cuts the connection without a word (RST), the stream where it is HTTP/2.
func reset(w http.ResponseWriter, _ *http.Request) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	raw := conn
	if t, ok := conn.(interface{ NetConn() net.Conn }); ok {
		raw = t.NetConn()
	}
	if tcp, ok := raw.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	_ = raw.Close()
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}
