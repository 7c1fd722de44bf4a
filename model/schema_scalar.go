package model

import (
	"reflect"
	"strconv"

	yaml "go.yaml.in/yaml/v4"
)

// plain are the kinds of a text without quotes: YAML makes a number of a name
// such as 1, and the parser takes it as it is written.
var plain = []string{"string", "number", "boolean"}

// Patterns of texts. Each takes all that the parser takes, and little more.
const (
	portText     = `(0*([1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5]))`
	spanText     = `([0-9]+\.?[0-9]*|\.[0-9]+)(ns|us|µs|μs|ms|s|m|h)`
	durationText = `^(\+?(0|(` + spanText + `)+)|[0-9]+d(0|(` + spanText + `)*))$`
	addressText  = `^(\[[^\[\]]*\]|[^:\[\]]*):` + portText + `$`
	networkText  = `^[0-9A-Fa-f:.]+(/[0-9]{1,3})?$`
	statusText   = `^0*[1-5][0-9][0-9]$`
	statusesText = `^(0*[1-5][0-9][0-9](-0*[1-5][0-9][0-9])?|0*[1-5]xx)$`
	countText    = `^[0-9]+$`
	weightText   = `^\+?[0-9.xXpPeE_a-fA-F+-]+$`
	percentText  = `^\+?(100(\.0*)?|[0-9]{1,2}(\.[0-9]*)?|\.[0-9]+)%$`
	pinText      = `^(sha256/)?(/?[A-Za-z0-9+/]{43}=?|([0-9A-Fa-f]{2}:?){32})$`
)

// named are forms that stand once in a schema, for many keys.
var named = map[reflect.Type]*schema{
	reflect.TypeFor[Duration]():    textOrNumber[Duration](durationText, "integer", 0, 0), // without a unit there is 0 alone
	reflect.TypeFor[Address]():     text[Address](addressText),
	reflect.TypeFor[Network]():     text[Network](networkText),
	reflect.TypeFor[Pin]():         text[Pin](pinText),
	reflect.TypeFor[StatusRange](): textOrNumber[StatusRange](statusesText, "integer", leastStatus, mostStatus),
}

// scalarForm is what a single value may look like.
func scalarForm(t reflect.Type) *schema {
	if known, closed := words[t]; closed {
		return &schema{Enum: spelled(known)}
	}
	if _, once := named[t]; once {
		return &schema{Ref: refTo(t)}
	}
	switch t {
	case reflect.TypeFor[bool]():
		return &schema{Enum: spelled([]string{"true", "false"})}
	case reflect.TypeFor[Weight]():
		return textOrNumber[Weight](weightText, "number", leastWeight, mostWeight)
	case reflect.TypeFor[Percent]():
		return text[Percent](percentText)
	case reflect.TypeFor[Status]():
		return textOrNumber[Status](statusText, "integer", leastStatus, mostStatus)
	case reflect.TypeFor[Count]():
		return textOrNumber[Count](countText, "integer", 0, mostCount)
	case reflect.TypeFor[Port]():
		return textOrNumber[Port]("^"+portText+"$", "integer", 1, mostPort)
	case reflect.TypeFor[Regex]():
		return &schema{Type: plain, MaxLength: maxRegex}
	}
	return &schema{Type: plain}
}

// text is one of a pattern. Where it does not match, an editor says what the parser
// would.
func text[T any](pattern string) *schema {
	_, hint := set(&yaml.Node{Kind: yaml.ScalarNode}, reflect.ValueOf(new(T)).Elem())
	return &schema{Type: "string", Pattern: pattern, PatternError: hint}
}

// textOrNumber is a number, or its text in quotes.
func textOrNumber[T any](pattern, kind string, least, most float64) *schema {
	s := text[T](pattern)
	s.Type, s.Minimum, s.Maximum = []string{kind, "string"}, &least, &most
	return s
}

// numeric is a limit as JSON has it, nil where there is none.
func numeric(v reflect.Value) *float64 {
	if !v.IsValid() || !v.CanUint() {
		return nil
	}
	f := float64(v.Uint())
	return &f
}

// spelled are words as an editor may see them: 1.3 and true are no texts there.
func spelled(known []string) []any {
	var all []any
	for _, w := range known {
		all = append(all, native(w))
	}
	for _, w := range known {
		if native(w) != any(w) {
			all = append(all, w) // in quotes
		}
	}
	return all
}

// native is a value as YAML reads its text.
func native(word string) any {
	if word == "true" || word == "false" {
		return word == "true"
	}
	if f, err := strconv.ParseFloat(word, 64); err == nil {
		return f
	}
	return word
}
