package model

import (
	"bytes"
	"strings"

	yaml "go.yaml.in/yaml/v4"
)

// YAML writes JSON as YAML for people: in blocks, texts of several lines as
// such, keys in the order of the JSON.
func YAML(json []byte) ([]byte, error) {
	var doc yaml.Node
	if err := yaml.Unmarshal(json, &doc); err != nil {
		return nil, err
	}
	inBlocks(&doc)
	var out bytes.Buffer
	enc := yaml.NewEncoder(&out)
	enc.SetIndent(2)
	if err := enc.Encode(&doc); err != nil {
		return nil, err
	}
	return out.Bytes(), enc.Close()
}

func inBlocks(n *yaml.Node) {
	n.Style = 0
	if n.Kind == yaml.ScalarNode && n.Tag == "!!str" {
		n.Style = yaml.DoubleQuotedStyle
		if strings.Contains(n.Value, "\n") {
			n.Style = yaml.LiteralStyle
		} else if namePattern.MatchString(n.Value) && !looksOdd(n.Value) {
			n.Style = 0
		}
	}
	for _, c := range n.Content {
		inBlocks(c)
	}
}

// looksOdd tells whether a text would be read as something else without quotes;
// the library quotes those itself, but for words of older YAML.
func looksOdd(s string) bool {
	switch strings.ToLower(s) {
	case "y", "n", "yes", "no", "on", "off", "true", "false", "null", "~":
		return true
	}
	return strings.TrimLeft(s, "0123456789.eE+-") == ""
}
