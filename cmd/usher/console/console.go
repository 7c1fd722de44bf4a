// Package console is the page that an administrator keeps open: what is served and
// whether it was accepted, every pool and node and how they do, certificates,
// Envoys, the file with its faults, and who changed it. Operators change nodes and
// take changes back, each shown as a diff of the file before it is saved.
//
// It finds nothing out by itself and decides nothing: it reads the status and the
// figures, and changes the file by the desk alone. It lets nobody in: a gate of login
// stands before it, and whoever comes through has a role. It serves people; programs
// have the API.
package console

import (
	"net/http"
	"time"

	"usher/cmd/usher/desk"
	"usher/cmd/usher/figures"
	"usher/cmd/usher/login"
	"usher/cmd/usher/status"
)

// Figures are those of the supervised Envoy, see figures.Watch.
type Figures interface {
	Latest() *figures.Now
	Hour() []figures.Sample
}

// Console shows one usher. Figures is nil where it supervises no Envoy.
type Console struct {
	Status  func() *status.Status
	Figures Figures
	Desk    *desk.Desk
	Now     func() time.Time // time.Now

	journal journal
	shared  shared
}

// Handler answers for the page, at / and below /console/.
func (c *Console) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", c.page)
	mux.HandleFunc("GET /console/live", c.live)
	mux.HandleFunc("GET /console/file", c.file)
	mux.HandleFunc("GET /console/hour", c.hour)
	mux.HandleFunc("GET /console/change/{id}", c.entry)
	mux.HandleFunc("GET /console/assets/{name}", asset)
	for pattern, h := range map[string]http.HandlerFunc{
		"GET /console/node":     c.nodeForm,
		"GET /console/add":      c.addForm,
		"POST /console/preview": c.preview,
		"POST /console/save":    c.save,
	} {
		mux.Handle(pattern, login.Require(login.Operator, h))
	}
	return mux
}

// latest are the newest figures; nil where there are none, or old ones alone.
func (c *Console) latest() *figures.Now {
	if c.Figures == nil {
		return nil
	}
	now := c.Figures.Latest()
	if now == nil || c.Now().Sub(now.Time) > 2*now.Every+time.Second {
		return nil
	}
	return now
}
