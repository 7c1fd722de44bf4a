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
	"maps"
	"net/http"
	"slices"
	"time"

	"usher/cmd/usher/desk"
	"usher/cmd/usher/figures"
	"usher/cmd/usher/login"
	"usher/cmd/usher/status"
)

// Figures are those of the Envoys, see figures.Watch.
type Figures interface {
	Latest() *figures.Now
	Hour() []figures.Sample
}

// Console shows one usher. Figures is nil where it asks no Envoy.
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
	for pattern, h := range c.looks() {
		mux.Handle(pattern, h)
	}
	for pattern, h := range c.changes() {
		mux.Handle(pattern, login.Require(login.Operator, h))
	}
	return mux
}

// looks are for everybody who comes through the gate.
func (c *Console) looks() map[string]http.HandlerFunc {
	return map[string]http.HandlerFunc{
		"GET /{$}":                   c.page,
		"GET /console/live":          c.live,
		"GET /console/file":          c.file,
		"GET /console/hour":          c.hour,
		"GET /console/change/{id}":   c.entry,
		"GET /console/assets/{name}": asset,
	}
}

// changes are for operators.
func (c *Console) changes() map[string]http.HandlerFunc {
	return map[string]http.HandlerFunc{
		"GET /console/node":     c.nodeForm,
		"GET /console/add":      c.addForm,
		"POST /console/preview": c.preview,
		"POST /console/save":    c.save,
	}
}

// Patterns are all paths with their methods, as net/http writes them, sorted: those
// to look at, and those for operators.
func Patterns() (looks, changes []string) {
	c := &Console{}
	return slices.Sorted(maps.Keys(c.looks())), slices.Sorted(maps.Keys(c.changes()))
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
