package model

import (
	"fmt"
	"reflect"
	"strings"

	yaml "go.yaml.in/yaml/v4"
)

// limits are the least and the most of a key, as the tag `range` of its field
// has them: "0..20" or "100ms..1h", both ends included, "1.." without an upper
// end. With the tag `zero` a zero is allowed beside them.
type limits struct {
	least, most reflect.Value // of the key's type; most is invalid where there is no upper end
	zero        bool
}

// limitsOf reads the tag; ok is false where a key has none.
func limitsOf(f reflect.StructField) (l limits, ok bool) {
	least, most, ok := strings.Cut(f.Tag.Get("range"), "..")
	if !ok {
		return l, false
	}
	l.least, l.zero = literal(f.Type, least), f.Tag.Get("zero") != ""
	if most != "" {
		l.most = literal(f.Type, most)
	}
	return l, true
}

// literal is a value as a file has it; the texts are those of this package.
func literal(t reflect.Type, text string) reflect.Value {
	v := reflect.New(t).Elem()
	if what, _ := set(&yaml.Node{Kind: yaml.ScalarNode, Value: text}, v); what != "" {
		panic("model: a " + t.Name() + ": " + what)
	}
	return v
}

// ranges checks all keys of a struct that have limits. Only what is out of them is
// looked for in the file, which may have left it out.
func (k *checker) ranges(field string, keys any) {
	v := reflect.ValueOf(keys)
	for _, key := range k.shapes.of(v.Type()).keys {
		if !key.limited || key.limits.hold(v.Field(key.at)) {
			continue
		}
		if path := join(field, key.name); k.has(path) {
			k.outOfRange(path, v.Field(key.at), key.limits)
		}
	}
}

// hold tells whether a value is within the limits.
func (l limits) hold(v reflect.Value) bool {
	switch {
	case l.zero && v.IsZero():
		return true
	case !l.most.IsValid():
		return !v.IsZero()
	}
	return !below(v, l.least) && !below(l.most, v)
}

func (k *checker) outOfRange(field string, v reflect.Value, l limits) {
	if !l.most.IsValid() {
		k.fault(field, "0 lets nothing through", "leave it out where there is no limit")
		return
	}
	k.fault(field, fmt.Sprintf("%v is out of range", v), fmt.Sprintf("%v to %v will do", l.least, l.most))
}

// below compares two values of one type, spans or counts.
func below(a, b reflect.Value) bool {
	if a.CanInt() {
		return a.Int() < b.Int()
	}
	return a.Uint() < b.Uint()
}
