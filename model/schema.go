package model

import (
	"bytes"
	"cmp"
	"encoding/json"
	"reflect"
	"strings"
)

// schema is one of JSON Schema, draft 2020-12: what of it this package needs.
type schema struct {
	Schema      string   `json:"$schema,omitempty"`
	Title       string   `json:"title,omitempty"`
	Ref         string   `json:"$ref,omitempty"`
	Description string   `json:"description,omitempty"`
	Default     any      `json:"default,omitempty"`
	Type        any      `json:"type,omitempty"` // a word or a list of words
	Enum        []any    `json:"enum,omitempty"`
	Minimum     *float64 `json:"minimum,omitempty"`
	Maximum     *float64 `json:"maximum,omitempty"`
	MaxLength   int      `json:"maxLength,omitempty"`
	Pattern     string   `json:"pattern,omitempty"`
	// PatternError is what editors say in the place of the pattern: a word of VS
	// Code's and yaml-language-server's own, which validators pass over.
	PatternError string             `json:"patternErrorMessage,omitempty"`
	AnyOf        []*schema          `json:"anyOf,omitempty"`
	Items        *schema            `json:"items,omitempty"`
	MinItems     int                `json:"minItems,omitempty"`
	Properties   map[string]*schema `json:"properties,omitempty"`
	Additional   any                `json:"additionalProperties,omitempty"` // false, or a schema
	Required     []string           `json:"required,omitempty"`
	Defs         map[string]*schema `json:"$defs,omitempty"`
}

// Schema is the JSON Schema of a cluster file (draft 2020-12), for editors and for
// whoever makes files. What it refuses, Parse refuses; Parse also knows what one
// key asks of another, and the ranges of durations, which are in words here.
func Schema() []byte {
	chapters := Reference()
	root := object(chapterOf(chapters, reflect.TypeFor[Cluster]()))
	root.Schema, root.Title = "https://json-schema.org/draft/2020-12/schema", "cluster.yaml"
	root.Defs = map[string]*schema{}
	for _, c := range chapters {
		if c.of != reflect.TypeFor[Cluster]() {
			root.Defs[c.of.Name()] = object(c)
		}
	}
	for t, s := range named {
		root.Defs[t.Name()] = s
	}
	return root.json()
}

func refTo(t reflect.Type) string { return "#/$defs/" + t.Name() }

func (s *schema) json() []byte {
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(s); err != nil {
		panic("model: " + err.Error()) // it is made of texts and numbers
	}
	return out.Bytes()
}

// object is a type with keys.
func object(c Chapter) *schema {
	o := &schema{Type: "object", Description: c.Doc, Additional: false, Properties: map[string]*schema{}}
	for _, k := range c.Keys {
		o.Properties[k.Name] = k.schema()
		if k.Required() {
			o.Required = append(o.Required, k.Name)
		}
	}
	return o
}

func (k Key) schema() *schema {
	s := form(k.field.Type)
	if l, ok := limitsOf(k.field); ok && k.field.Type.Kind() != reflect.Int64 {
		s.Minimum, s.Maximum = numeric(l.least), cmp.Or(numeric(l.most), s.Maximum)
	}
	if strings.Contains(k.Doc, "Required, at least one.") {
		s.MinItems = 1
	}
	s.Description = k.Doc
	if v, ok := k.Default(); ok {
		s.Default = v
	}
	return s
}

// form is what a value of a type may look like.
func form(t reflect.Type) *schema {
	switch {
	case t.Kind() == reflect.Pointer:
		return form(t.Elem())
	case t.Kind() == reflect.Slice && maybeAlone(t):
		return either(form(t.Elem()), &schema{Type: "array", Items: form(t.Elem())})
	case t.Kind() == reflect.Slice:
		return &schema{Type: "array", Items: form(t.Elem())}
	case t.Kind() == reflect.Map:
		return &schema{Type: "object", Additional: form(t.Elem())}
	case t.Kind() != reflect.Struct || single[t]:
		return scalarForm(t)
	}
	ref := &schema{Ref: refTo(t)}
	if at := short(t); at >= 0 {
		return either(Key{field: t.Field(at)}.bare(), ref)
	}
	return ref
}

// bare is the value of a key without what is said of it.
func (k Key) bare() *schema {
	s := k.schema()
	s.Description, s.Default = "", nil
	return s
}

// either is one of several forms, without one inside another.
func either(forms ...*schema) *schema {
	var all []*schema
	for _, f := range forms {
		if len(f.AnyOf) > 0 {
			all = append(all, f.AnyOf...)
			continue
		}
		all = append(all, f)
	}
	return &schema{AnyOf: all}
}
