package model

import (
	"fmt"
	"reflect"
	"strconv"
	"strings"

	yaml "go.yaml.in/yaml/v4"
)

// scalar reads a single value by the type that it is for.
func (d *decoder) scalar(n *yaml.Node, into reflect.Value, field string) {
	if n.Kind != yaml.ScalarNode {
		d.fault(n, field, "is "+kindName(n)+", where a single value belongs", "")
		return
	}
	if what, hint := set(n, into); what != "" {
		d.fault(n, field, what, hint)
	}
}

// set puts a text into a value, or says what is wrong with it and what to do.
func set(n *yaml.Node, into reflect.Value) (what, hint string) {
	if known, closed := words[into.Type()]; closed {
		return setWord(n, into, known)
	}
	switch v := into.Addr().Interface().(type) {
	case *string:
		*v = n.Value
	case *bool:
		return setBool(n, v)
	case *Weight:
		f, err := strconv.ParseFloat(n.Value, 64)
		if err != nil || f < leastWeight || f > mostWeight || f != f {
			return n.Value + " is not a weight", "weights run from 0.01 to 100; to keep a node out, set state: disabled"
		}
		*v = Weight(f)
	case *Percent:
		number, sign := strings.CutSuffix(n.Value, "%")
		f, err := strconv.ParseFloat(number, 64)
		if err != nil || !sign || f < 0 || f > 100 || f != f {
			return n.Value + " is not a share", "write percent: 1%, 0.5% or 100%"
		}
		*v = Percent(f)
	case *Duration:
		span, err := ParseDuration(n.Value)
		if err != nil || span < 0 {
			return n.Value + " is not a duration", "write a number and a unit: 300ms, 5s, 1h30m or 90d"
		}
		*v = span
	case *Address:
		a, err := ParseAddress(n.Value)
		if err != nil {
			return err.Error(), "write HOST:PORT, the port from 1 to 65535; an IPv6 address in brackets"
		}
		*v = a
	case *Pin:
		pin, err := ParsePin(n.Value)
		if err != nil {
			return err.Error(), "`usher check --live` prints the pin of every node: sha256/ and 44 characters"
		}
		*v = pin
	case *Network:
		network, err := ParseNetwork(n.Value)
		if err != nil {
			return err.Error(), "such as 192.0.2.7, 10.0.0.0/8 or 2001:db8::/32"
		}
		*v = network
	case *StatusRange:
		statuses, err := ParseStatusRange(n.Value)
		if err != nil {
			return err.Error(), "such as 503, 200-399 or 5xx"
		}
		*v = statuses
	case *Status:
		status, err := strconv.ParseUint(n.Value, 10, 16)
		if err != nil || status < leastStatus || status > mostStatus {
			return strconv.Quote(n.Value) + " is no HTTP status", "statuses run from 100 to 599"
		}
		*v = Status(status)
	case *Count:
		count, err := strconv.ParseUint(n.Value, 10, 32)
		if err != nil || count > mostCount {
			return strconv.Quote(n.Value) + " is not a number", "write a whole number, 0 or more"
		}
		*v = Count(count)
	case *Regex:
		regex, err := ParseRegex(n.Value)
		if err != nil {
			return err.Error(), "expressions are those of RE2: no look-around, no back references"
		}
		*v = regex
	case *Port:
		port, err := strconv.ParseUint(n.Value, 10, 16)
		if err != nil || port == 0 {
			return strconv.Quote(n.Value) + " is not a port", "ports run from 1 to 65535"
		}
		*v = Port(port)
	default:
		panic(fmt.Sprintf("model: no way to read a %T", v)) // a type of this package that scalar.go does not know
	}
	return "", ""
}

func setBool(n *yaml.Node, v *bool) (what, hint string) {
	switch n.Value {
	case "true":
		*v = true
	case "false":
		*v = false
	default:
		return strconv.Quote(n.Value) + " is neither true nor false", ""
	}
	return "", ""
}

// suggest names the nearest of the known words, or all of them.
func suggest(got string, known []string) string {
	best, distance := "", 3
	for _, k := range known {
		if d := edits(strings.ToLower(got), k); d < distance && d < len(k) {
			best, distance = k, d
		}
	}
	if best != "" {
		return fmt.Sprintf("did you mean %q?", best)
	}
	if len(known) == 0 || len(known) > 20 {
		return ""
	}
	return "known are " + strings.Join(known, ", ")
}

// edits is the Levenshtein distance of two words; long ones are strangers.
func edits(a, b string) int {
	if len(a) > 64 || len(b) > 64 {
		return 64
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		before := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			before, row[j+1] = row[j+1], min(before+cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
