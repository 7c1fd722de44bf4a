package main

import (
	"net/http"
	"strings"
)

// What a node says of its health.
const (
	healthy  = "ok"
	failing  = "failing"
	off      = "off"
	draining = "drain"
)

const (
	healthAPI  = "/api/health-check/v1.0/health"
	healthPage = "/health"
	grpcHealth = "/grpc.health.v1.Health/"
)

// spared are the paths that faults leave alone.
func spared(path string) bool {
	return path == control || path == healthAPI || path == healthPage || strings.HasPrefix(path, grpcHealth)
}

func (n *node) wellness() {
	n.mux.HandleFunc(healthAPI, func(w http.ResponseWriter, _ *http.Request) { n.health(w, n.now()) })
	n.mux.HandleFunc(healthPage, func(w http.ResponseWriter, _ *http.Request) {
		m := n.now()
		if m.Health == off {
			m.Health = healthy
		}
		n.health(w, m)
	})
}

func (n *node) health(w http.ResponseWriter, m mood) {
	if m.DrainHeader != "" {
		w.Header().Set(m.DrainHeader, "true")
	}
	switch m.Health {
	case healthy:
		answer(w, map[string]any{"health": []any{map[string]string{"key": "nodeId", "value": n.name}}})
	case failing:
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusServiceUnavailable)
		answer(w, map[string]any{"errors": []any{map[string]string{
			"code": "HC_00001", "message": "a data source can't be reached", "description": "asked for by a test"}}})
	case draining:
		http.Error(w, "drained", http.StatusNotFound)
	}
}
