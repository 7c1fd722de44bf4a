package login

import (
	"fmt"
	"slices"

	"go.yaml.in/yaml/v4"
)

func scalar(value string) *yaml.Node {
	return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: value}
}

// pairs is a mapping of keys and values.
func pairs(all ...string) *yaml.Node {
	n := &yaml.Node{Kind: yaml.MappingNode}
	for _, text := range all {
		n.Content = append(n.Content, scalar(text))
	}
	return n
}

// value is what a mapping has under a key, nil where it has none.
func value(mapping *yaml.Node, key string) *yaml.Node {
	for i := 0; i+1 < len(mapping.Content); i += 2 {
		if mapping.Content[i].Value == key {
			return mapping.Content[i+1]
		}
	}
	return nil
}

// list is one of the file's two lists, made where it is not there yet.
func (f *File) list(key string) *yaml.Node {
	root := f.doc.Content[0]
	list := value(root, key)
	if list == nil {
		list = &yaml.Node{}
		root.Content = append(root.Content, scalar(key), list)
	}
	if list.Kind != yaml.SequenceNode { // a key with nothing behind it
		*list = yaml.Node{Kind: yaml.SequenceNode}
	}
	return list
}

func (f *File) append(key string, entry *yaml.Node) {
	list := f.list(key)
	if len(list.Content) == 0 {
		list.Style = 0 // no longer []
	}
	list.Content = append(list.Content, entry)
}

// find is where in a list an entry with a name is.
func (f *File) find(key, name string) (list *yaml.Node, at int, err error) {
	list = f.list(key)
	for i, entry := range list.Content {
		if n := value(entry, "name"); n != nil && n.Value == name {
			return list, i, nil
		}
	}
	return nil, 0, fmt.Errorf("there is no %s %s", key[:len(key)-1], name)
}

func (f *File) set(key, name, field, text string) error {
	list, at, err := f.find(key, name)
	if err != nil {
		return err
	}
	v := value(list.Content[at], field)
	v.Kind, v.Tag, v.Value, v.Alias = yaml.ScalarNode, "!!str", text, nil
	return nil
}

func (f *File) remove(key, name string) error {
	list, at, err := f.find(key, name)
	if err != nil {
		return err
	}
	list.Content = slices.Delete(list.Content, at, at+1)
	return nil
}
