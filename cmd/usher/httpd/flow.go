package httpd

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"usher/model"
)

// flow writes a value of model as YAML on one line, by the keys and the short forms
// that model reads: what is empty is left out.
func flow(v reflect.Value) string {
	switch text := v.Interface().(type) {
	case model.Duration:
		return text.String()
	case model.Switch:
		return string(text)
	case model.Address:
		return scalar(text.String())
	case model.StatusRange:
		return text.String()
	case model.Network:
		if text.IsSingleIP() {
			return scalar(text.Addr().String())
		}
		return scalar(text.String())
	}
	switch v.Kind() {
	case reflect.Pointer:
		return flow(v.Elem())
	case reflect.String:
		return scalar(v.String())
	case reflect.Float64:
		return strconv.FormatFloat(v.Float(), 'g', -1, 64)
	case reflect.Slice:
		return "[" + strings.Join(items(v), ", ") + "]"
	case reflect.Map:
		var parts []string
		texts, _ := v.Interface().(map[string]string)
		for _, key := range slices.Sorted(maps.Keys(texts)) {
			parts = append(parts, scalar(key)+": "+scalar(texts[key]))
		}
		return "{" + strings.Join(parts, ", ") + "}"
	case reflect.Struct:
		return structure(v)
	default:
		return fmt.Sprint(v.Interface())
	}
}

// items are the entries of a list.
func items(v reflect.Value) (parts []string) {
	for i := range v.Len() {
		parts = append(parts, flow(v.Index(i)))
	}
	return parts
}

// structure writes keys and values, or the single value that stands for them.
func structure(v reflect.Value) string {
	var parts []string
	short := ""
	for i := range v.NumField() {
		f := v.Type().Field(i)
		key := f.Tag.Get("yaml")
		if key == "" || v.Field(i).IsZero() {
			continue
		}
		parts = append(parts, key+": "+flow(v.Field(i)))
		if f.Tag.Get("scalar") != "" {
			short = flow(v.Field(i))
		}
	}
	if len(parts) == 1 && short != "" {
		return short
	}
	return "{" + strings.Join(parts, ", ") + "}"
}

// scalar writes a text so that YAML reads that text: plain where there is nothing
// that could be taken for anything else.
func scalar(s string) string {
	s = strings.ToValidUTF8(s, "")
	if strings.ContainsFunc(s, func(r rune) bool {
		return r < ' ' || r == 0x7f || r == 0x85 || r == 0x2028 || r == 0x2029 || r == 0xfeff
	}) {
		return strconv.QuoteToASCII(s)
	}
	if isSafe(s) {
		return s
	}
	if !strings.ContainsAny(s, `"\`) {
		return `"` + s + `"`
	}
	return "'" + strings.ReplaceAll(s, "'", "''") + "'"
}

// isSafe tells whether a text needs no quotes, in a list or out of it.
func isSafe(s string) bool {
	const marks = "_./@+-:"
	for i, c := range []byte(s) {
		letter := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
		if !letter && (strings.IndexByte(marks, c) < 0 || i == 0 && c != '/' && c != '_') {
			return false
		}
	}
	switch strings.ToLower(s) {
	case "", "y", "n", "yes", "no", "on", "off", "true", "false", "null":
		return false
	}
	// What begins as a number may be one, with points, colons or letters in it.
	_, err := strconv.ParseFloat(strings.ReplaceAll(s, "_", ""), 64)
	return err != nil && !strings.HasSuffix(s, ":") && !strings.HasPrefix(s, "0x") && !strings.HasPrefix(s, "0o")
}
