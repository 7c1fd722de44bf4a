package model

import (
	"embed"
	"fmt"
	"reflect"
	"slices"

	yaml "go.yaml.in/yaml/v4"
)

// Presets are pieces of a cluster file that stand for what a product wants. What
// the file says itself goes before.

//go:embed presets
var presetFiles embed.FS

// PresetText is what a preset stands for, as one would write it.
func PresetText(name string) (string, error) {
	text, err := presetFiles.ReadFile("presets/" + name + ".yaml")
	if err != nil {
		return "", fmt.Errorf("there is no preset %q: %s", name, suggest(name, PresetNames()))
	}
	return string(text), nil
}

// PresetNames are those of all presets.
func PresetNames() []string {
	return slices.Concat(words[reflect.TypeFor[Preset]()], words[reflect.TypeFor[HealthPreset]()])
}

// part is one key of a preset, all of it at the place where the file names it.
func part(preset, key string, at place) *yaml.Node {
	text, err := PresetText(preset)
	var doc yaml.Node
	if err == nil {
		err = yaml.Unmarshal([]byte(text), &doc)
	}
	if err != nil {
		panic("model: preset " + preset + ": " + err.Error()) // it is part of the program
	}
	n := value(doc.Content[0], key)
	stand(n, at)
	return n
}

// value is that of a key, nil where there is none.
func value(mapping *yaml.Node, key string) *yaml.Node {
	for i := 0; i+1 < len(mapping.Content); i += 2 {
		if mapping.Content[i].Value == key {
			return mapping.Content[i+1]
		}
	}
	return nil
}

func stand(n *yaml.Node, at place) {
	n.Line, n.Column = at.line, at.column
	for _, c := range n.Content {
		stand(c, at)
	}
}

// presets puts in what the presets stand for.
func (d *decoder) presets() {
	for i := range d.cluster.Pools {
		p, field := &d.cluster.Pools[i], item("pools", i)
		if p.Preset != "" {
			d.fill(part(string(p.Preset), "pool", d.cluster.places[field+".preset"]), reflect.ValueOf(p).Elem(), field)
		}
		if h := p.Health.Preset; h != "" {
			d.fill(part(string(h), "health", d.cluster.places[field+".health"]), reflect.ValueOf(&p.Health).Elem(), field+".health")
		}
	}
	for i := range d.cluster.Listeners {
		d.listenerPreset(&d.cluster.Listeners[i], item("listeners", i))
	}
}

// fill decodes the keys that are not there yet.
func (d *decoder) fill(n *yaml.Node, into reflect.Value, field string) {
	for i := 0; i+1 < len(n.Content); i += 2 {
		key := n.Content[i].Value
		if path := join(field, key); !d.cluster.has(path) {
			d.decode(n.Content[i+1], into.Field(fieldOf(into.Type(), key)), path)
		}
	}
}

// listenerPreset gives every route its field, and puts those of the preset before
// the first of the file that is wider.
func (d *decoder) listenerPreset(l *Listener, field string) {
	for j := range l.Routes {
		l.Routes[j].field = item(field+".routes", j)
	}
	if l.Preset == nil || l.Preset.Name == "" {
		return
	}
	var added struct {
		Routes []Route `yaml:"routes"`
	}
	at := field + ".preset"
	d.fill(part(string(l.Preset.Name), "listener", d.cluster.places[at]), reflect.ValueOf(&added).Elem(), at)
	for j, r := range added.Routes {
		r.field = item(at+".routes", j)
		l.Routes = l.Preset.insert(l.Routes, r)
	}
}
