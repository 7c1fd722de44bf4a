// Package api is what machines ask usher and tell it: JSON over HTTP under
// /api/v1, as openapi.yaml describes it. The verbs use it over the socket in the
// state folder, the console and others with a login.
//
// It decides nothing about balancing and checks nobody's login itself: whoever is
// let through to it has a role (login.From). It serves scripts, the console and the
// verbs.
package api

import (
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"

	"usher/cmd/usher/desk"
	"usher/cmd/usher/figures"
	"usher/cmd/usher/status"
	"usher/xds"
)

// Prefix is where the API is.
const Prefix = "/api/v1"

//go:embed openapi.yaml
var description []byte

// Balancer is the usher that is asked.
type Balancer interface {
	// Status is what it knows about itself now.
	Status() *status.Status
	// Explain says what becomes of a request; ErrNothing before anything is served.
	Explain(ctx context.Context, q xds.Request) (xds.Explanation, error)
	// Desk is where the cluster file is changed.
	Desk() *desk.Desk
	// Figures are what Envoys count; nil where none is asked, or before one has said
	// something.
	Figures() *figures.Now
	// Hour is what it counted in the last hour.
	Hour() []figures.Sample
}

// ErrNothing is said where nothing is served yet.
var ErrNothing = errors.New("nothing is served yet")

// ErrNoFigures is said where no Envoy is asked, or none has answered yet.
var ErrNoFigures = errors.New("there are no figures: no Envoy is asked for them (see --figures-port of usher serve), or none has answered yet")

// Handler answers below Prefix.
func Handler(b Balancer) http.Handler {
	h := &handler{b}
	mux := http.NewServeMux()
	for pattern, answer := range h.routes() {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) { reply(w, answer, r) })
	}
	mux.HandleFunc("GET "+Prefix+"/openapi.yaml", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/yaml")
		_, _ = w.Write(description)
	})
	mux.HandleFunc(Prefix+"/", func(w http.ResponseWriter, r *http.Request) {
		fail(w, &Problem{Status: http.StatusNotFound, Title: "no such resource: " + r.Method + " " + r.URL.Path})
	})
	return mux
}

type handler struct{ b Balancer }

// Patterns are all resources with their methods, as net/http writes them, sorted.
func Patterns() []string {
	return slices.Sorted(maps.Keys((&handler{}).routes()))
}

// answer makes the JSON that a request is answered with.
type answer func(r *http.Request) (any, error)

func (h *handler) routes() map[string]answer {
	return map[string]answer{
		"GET " + Prefix + "/status":   func(*http.Request) (any, error) { return h.b.Status(), nil },
		"POST " + Prefix + "/explain": h.explain,

		"GET " + Prefix + "/figures":      h.figures,
		"GET " + Prefix + "/figures/hour": h.hour,

		"GET " + Prefix + "/file":               h.file,
		"PUT " + Prefix + "/file":               h.save,
		"POST " + Prefix + "/file/preview":      h.preview,
		"GET " + Prefix + "/history":            h.history,
		"GET " + Prefix + "/history/{id}":       h.entry,
		"GET " + Prefix + "/history/{id}/undo":  h.undoPreview,
		"POST " + Prefix + "/history/{id}/undo": h.undo,
	}
}

func (h *handler) figures(*http.Request) (any, error) {
	if now := h.b.Figures(); now != nil {
		return now, nil
	}
	return nil, ErrNoFigures
}

func (h *handler) hour(*http.Request) (any, error) {
	all := h.b.Hour()
	if all == nil {
		all = []figures.Sample{}
	}
	return map[string]any{"outcomes": figures.AllOutcomes(), "samples": all}, nil
}

// Problem is what went wrong (RFC 9457).
type Problem struct {
	Status int    `json:"status"`
	Title  string `json:"title"`
	Detail string `json:"detail,omitempty"`
}

// Error is the problem in words.
func (p *Problem) Error() string {
	if p.Detail != "" {
		return p.Title + ": " + p.Detail
	}
	return p.Title
}

func bad(format string, args ...any) error {
	return &Problem{Status: http.StatusBadRequest, Title: fmt.Sprintf(format, args...)}
}

func reply(w http.ResponseWriter, answer answer, r *http.Request) {
	body, err := answer(r)
	if err != nil {
		fail(w, err)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	_ = enc.Encode(body) // the client has gone
}

func fail(w http.ResponseWriter, err error) {
	var p *Problem
	switch {
	case errors.As(err, &p):
	case errors.Is(err, ErrNothing), errors.Is(err, ErrNoFigures):
		p = &Problem{Status: http.StatusServiceUnavailable, Title: err.Error()}
	default:
		p = &Problem{Status: http.StatusInternalServerError, Title: err.Error()}
	}
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(p.Status)
	_ = json.NewEncoder(w).Encode(p)
}

// bodyLimit is how much of a request is read; a cluster file may have 8 MiB.
const bodyLimit = 10 << 20

// read takes the JSON of a request, strictly.
func read(r *http.Request, into any) error {
	dec := json.NewDecoder(io.LimitReader(r.Body, bodyLimit))
	dec.DisallowUnknownFields()
	if err := dec.Decode(into); err != nil {
		return bad("the body is not what is expected: %v", err)
	}
	return nil
}
