package model

import (
	"reflect"
	"regexp"
	"strings"

	yaml "go.yaml.in/yaml/v4"
)

// Key is one key of a chapter.
type Key struct {
	Name string
	// Doc says what it means, what it may be, and what it is when left out.
	Doc   string
	field reflect.StructField
}

var required = regexp.MustCompile(`\bRequired(, (unique|at least one))?\.`)

// Required tells whether nothing goes without the key, as its comment says. What
// is needed at times only is not.
func (k Key) Required() bool { return required.MatchString(k.Doc) }

var defaults = regexp.MustCompile("Default: (`[^`]+`|[^ ,;(]*[^ ,;(.])([.,;]| \\(|$)")

// Default is what a key is when left out, as its comment says; ok is false where
// that depends on something else, or is no value but a circumstance. A text stands
// in backticks.
func (k Key) Default() (v any, ok bool) {
	said := k.defaultText()
	switch t := k.field.Type; t.Kind() { //nolint:exhaustive // all others are single values
	case reflect.String:
		if _, closed := words[t]; !closed {
			return said, strings.Contains(k.Doc, "`"+said+"`") && said != ""
		}
	case reflect.Pointer, reflect.Slice, reflect.Map, reflect.Struct:
		return nil, false
	}
	what, _ := set(&yaml.Node{Kind: yaml.ScalarNode, Value: said}, reflect.New(k.field.Type).Elem())
	return native(said), what == ""
}

// defaultText is the word after "Default:", where it stands for itself.
func (k Key) defaultText() string {
	if said := defaults.FindStringSubmatch(k.Doc); said != nil {
		return strings.Trim(said[1], "`")
	}
	return ""
}
