package desk

import (
	"cmp"
	"fmt"
	"reflect"
	"strings"
)

// fields says which keys of two like things differ, in the order of their types.
func (w *words) fields(at string, a, b any) {
	w.compare(at, "", reflect.ValueOf(a), reflect.ValueOf(b))
}

func (w *words) compare(at, key string, a, b reflect.Value) {
	if reflect.DeepEqual(a.Interface(), b.Interface()) {
		return
	}
	if a.Kind() == reflect.Pointer && !a.IsNil() && !b.IsNil() {
		a, b = a.Elem(), b.Elem()
	}
	if _, single := a.Interface().(fmt.Stringer); a.Kind() != reflect.Struct || single {
		w.say("%s%s %s (was %s)", at, key, text(b), text(a))
		return
	}
	for i := range a.NumField() {
		name := a.Type().Field(i).Tag.Get("yaml")
		if name == "" {
			continue
		}
		if key != "" {
			name = key + "." + name
		}
		w.compare(at, name, a.Field(i), b.Field(i))
	}
}

// text is a value as one would write it.
func text(v reflect.Value) string {
	if s, ok := v.Interface().(fmt.Stringer); ok && v.Kind() != reflect.Pointer {
		return cmp.Or(s.String(), "none")
	}
	switch v.Kind() { //nolint:exhaustive // all others are written as they are
	case reflect.Pointer:
		if v.IsNil() {
			return "none"
		}
		return text(v.Elem())
	case reflect.Slice:
		var all []string
		for i := range v.Len() {
			all = append(all, text(v.Index(i)))
		}
		if len(all) == 0 {
			return "none"
		}
		return "[" + strings.Join(all, ", ") + "]"
	case reflect.Struct:
		var all []string
		for i := range v.NumField() {
			if name := v.Type().Field(i).Tag.Get("yaml"); name != "" && !v.Field(i).IsZero() {
				all = append(all, name+": "+text(v.Field(i)))
			}
		}
		return "{" + strings.Join(all, ", ") + "}"
	}
	return cmp.Or(fmt.Sprint(v.Interface()), "none")
}
