package model

import "reflect"

// shape is what the tags of a type say, read once: a file has thousands of values
// of one type.
type shape struct {
	single bool // a single value is read into it
	short  int  // see short
	keys   []shapeKey
}

// shapeKey is a field that a file may have.
type shapeKey struct {
	name    string
	at      int
	limited bool
	limits  limits
}

// shapes are those of the types that one parse has met.
type shapes map[reflect.Type]*shape

// of reads a type's tags.
func (all shapes) of(t reflect.Type) *shape {
	if s, ok := all[t]; ok {
		return s
	}
	s := &shape{single: single[t], short: short(t)}
	for i := range t.NumField() {
		f := t.Field(i)
		if name := f.Tag.Get("yaml"); name != "" {
			key := shapeKey{name: name, at: i}
			key.limits, key.limited = limitsOf(f)
			s.keys = append(s.keys, key)
		}
	}
	all[t] = s
	return s
}

// key is where the field of that name stands; negative where there is none.
func (s *shape) key(name string) int {
	for i := range s.keys {
		if s.keys[i].name == name {
			return s.keys[i].at
		}
	}
	return -1
}
