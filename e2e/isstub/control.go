package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

const control = "/stub"

// mood is how the node behaves, set over the network.
type mood struct {
	Health      string // healthy, failing, off or draining
	DrainHeader string
	Delay       time.Duration
	Fail        int // a status, or 0
	Reset       bool
}

func (n *node) now() mood {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.mood
}

// control shows the mood, and changes it by POST. A wrong word changes nothing.
func (n *node) control(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodPost {
		r.Body = http.MaxBytesReader(w, r.Body, maxAsked)
		if err := n.change(r); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
	}
	m := n.now()
	answer(w, map[string]any{"node": n.name, "health": m.Health, "drain_header": m.DrainHeader,
		"delay": m.Delay.String(), "fail": m.Fail, "reset": m.Reset})
}

func (n *node) change(r *http.Request) error {
	if err := r.ParseForm(); err != nil {
		return err
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	m, err := n.mood.with(r.Form)
	if err == nil {
		n.mood = m
	}
	return err
}

func (m mood) with(form url.Values) (mood, error) {
	for key := range form {
		var err error
		switch v := form.Get(key); key {
		case "health":
			m.Health, err = v, oneOf(v, healthy, failing, off, draining)
		case "drain_header":
			m.DrainHeader = v
		case "delay":
			m.Delay, err = time.ParseDuration(v)
			m.Delay = min(m.Delay, maxSlow)
		case "fail":
			m.Fail, err = strconv.Atoi(v)
			if err == nil && m.Fail != 0 && !answerable(m.Fail) {
				err = fmt.Errorf("%d is not a status of an answer", m.Fail)
			}
		case "reset":
			m.Reset, err = strconv.ParseBool(v)
		default:
			err = fmt.Errorf("there is no such thing")
		}
		if err != nil {
			return m, fmt.Errorf("%s: %w", key, err)
		}
	}
	return m, nil
}

func oneOf(word string, words ...string) error {
	for _, w := range words {
		if w == word {
			return nil
		}
	}
	return fmt.Errorf("%q is none of %q", word, words)
}

// misbehaves does what the mood says in the place of an answer.
func (m mood) misbehaves(w http.ResponseWriter, r *http.Request) bool {
	pause(r, m.Delay)
	switch {
	case m.Reset:
		reset(w, r)
	case m.Fail != 0:
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(m.Fail)
		_ = json.NewEncoder(w).Encode(map[string]int{"fail": m.Fail}) // nothing where the status has no body
	default:
		return false
	}
	return true
}
