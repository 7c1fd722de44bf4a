package model

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
)

// place is where a field stands.
type place struct{ line, column int }

// places are the positions of all fields that the file has, by their paths.
type places map[string]place

// nearest is the position of a field, or of what it would stand in.
func (ps places) nearest(field string) place {
	for field != "" {
		if at, ok := ps[field]; ok {
			return at
		}
		field = field[:max(0, strings.LastIndexAny(field, ".["))]
	}
	return ps[""]
}

// Problem is a fault at a field, such as certificates[0].key, at its place in
// the file or at that of what it would stand in.
func (c *Cluster) Problem(field, what, hint string) Problem {
	at := c.places.nearest(field)
	return Problem{File: c.file, Line: at.line, Column: at.column, Field: field, What: what, Hint: hint}
}

// ListenerAt is FILE:LINE:COLUMN of a listener.
func (c *Cluster) ListenerAt(name string) string {
	i := slices.IndexFunc(c.Listeners, func(l Listener) bool { return l.Name == name })
	return c.Problem(fmt.Sprintf("listeners[%d].name", i), "", "").Place()
}

// RouteAt is FILE:LINE:COLUMN of a route, or of the preset that it comes from.
func (c *Cluster) RouteAt(r Route) string { return c.Problem(r.field, "", "").Place() }

// File is a file that the cluster file names.
type File struct {
	Field string // where it is named
	Path  string // resolved
}

// Files are all files that the cluster file names.
func (c *Cluster) Files() []File {
	var all []File
	add := func(field, path string) {
		if path != "" {
			all = append(all, File{field, c.Resolve(path)})
		}
	}
	for i, cert := range c.Certificates {
		add(fmt.Sprintf("certificates[%d].chain", i), cert.Chain)
		add(fmt.Sprintf("certificates[%d].key", i), cert.Key)
		if cert.ACME != nil {
			add(fmt.Sprintf("certificates[%d].acme.ca", i), cert.ACME.CA)
		}
	}
	for i, l := range c.Listeners {
		if l.TLS != nil && l.TLS.Client != nil {
			add(fmt.Sprintf("listeners[%d].tls.client.ca", i), l.TLS.Client.CA)
		}
	}
	for i, p := range c.Pools {
		if p.TLS != nil {
			add(fmt.Sprintf("pools[%d].tls.ca", i), p.TLS.CA)
		}
	}
	return all
}

// Resolve finds a file that the cluster file names: relative paths count from
// its folder.
func (c *Cluster) Resolve(path string) string {
	if path == "" || filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(filepath.Dir(c.file), path)
}
