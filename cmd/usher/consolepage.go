package main

import (
	"net/http"
	"time"

	"usher/cmd/usher/console"
)

// withConsole is what the console's port answers: the page beside the rest.
func (o *options) withConsole(l *loop, rest http.Handler) http.Handler {
	c := &console.Console{Status: l.Status, Desk: l.desk, Now: time.Now}
	if l.figures != nil {
		c.Figures = l.figures
	}
	page := c.Handler()
	mux := http.NewServeMux()
	mux.Handle("/{$}", page)
	mux.Handle("/console/", page)
	mux.Handle("/", rest)
	return mux
}
