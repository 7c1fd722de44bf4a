package model

import (
	"embed"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"reflect"
	"slices"
	"strings"
)

// Reference is made of the doc comments of the types of a file: the README's
// chapter, the schema's descriptions and the manual are written from it.

//go:embed cluster.go listener.go route.go pool.go sticky.go pooltls.go health.go certificate.go
var sources embed.FS

// Chapter is a type of the file and its keys.
type Chapter struct {
	// Title is where it stands, such as pools[].nodes[].
	Title string
	// Doc says in whole sentences what it is.
	Doc  string
	Keys []Key
	of   reflect.Type
}

// Reference is a chapter for each type, in the order of the source.
func Reference() []Chapter {
	paths := map[reflect.Type][]string{}
	locate(reflect.TypeFor[Cluster](), "", paths)
	types := map[string]reflect.Type{}
	for t := range paths {
		types[t.Name()] = t
	}
	var all []Chapter
	for _, name := range []string{"cluster.go", "listener.go", "route.go", "pool.go", "sticky.go", "pooltls.go", "health.go", "certificate.go"} {
		for _, d := range declared(name) {
			if t, ok := types[d.name]; ok {
				all = append(all, chapter(d, t, title(paths[t])))
			}
		}
	}
	return all
}

// locate notes where in a file each type may stand.
func locate(t reflect.Type, path string, paths map[reflect.Type][]string) {
	paths[t] = append(paths[t], path)
	for i := range t.NumField() {
		f := t.Field(i)
		inner, listed := entry(f.Type)
		if f.Tag.Get("yaml") == "" || inner.Kind() != reflect.Struct || single[inner] {
			continue
		}
		at := join(path, f.Tag.Get("yaml"))
		if listed {
			at += "[]"
		}
		locate(inner, at, paths)
	}
}

// entry is the type of an entry, or of what a pointer leads to; listed tells
// whether it stands in a list always.
func entry(t reflect.Type) (inner reflect.Type, listed bool) {
	switch t.Kind() { //nolint:exhaustive // all others are themselves
	case reflect.Pointer:
		return t.Elem(), false
	case reflect.Slice:
		return t.Elem(), !maybeAlone(t)
	}
	return t, false
}

// title is the first place and the last words of those beside it.
func title(paths []string) string {
	if paths[0] == "" {
		return "The whole file"
	}
	parent := paths[0][:strings.LastIndex(paths[0], ".")+1]
	for i, p := range paths[1:] {
		paths[i+1] = strings.TrimPrefix(p, parent)
	}
	return strings.Join(paths, ", ")
}

// declaration is a struct as the source has it.
type declaration struct {
	name, doc string
	fields    *ast.FieldList
}

// declared are the structs of one of this package's files.
func declared(source string) (all []declaration) {
	text, err := sources.ReadFile(source)
	if err != nil {
		panic("model: " + err.Error()) // it is part of the program, and so below
	}
	file, err := parser.ParseFile(token.NewFileSet(), source, text, parser.ParseComments)
	if err != nil {
		panic("model: " + err.Error())
	}
	for _, d := range file.Decls {
		gen, ok := d.(*ast.GenDecl)
		if !ok || gen.Tok != token.TYPE {
			continue
		}
		spec := gen.Specs[0].(*ast.TypeSpec)
		if fields, ok := spec.Type.(*ast.StructType); ok {
			all = append(all, declaration{spec.Name.Name, gen.Doc.Text(), fields.Fields})
		}
	}
	return all
}

func chapter(d declaration, t reflect.Type, title string) Chapter {
	c := Chapter{Title: title, Doc: sentence(d.doc, d.name), of: t}
	for _, f := range d.fields.List {
		field, _ := t.FieldByName(f.Names[0].Name)
		if key := field.Tag.Get("yaml"); key != "" {
			c.Keys = append(c.Keys, Key{Name: key, Doc: limited(sentence(f.Doc.Text(), field.Name), field), field: field})
		}
	}
	return c
}

// limited adds the limits that a comment leaves to the tag.
func limited(doc string, f reflect.StructField) string {
	l, ok := limitsOf(f)
	if !ok || !l.most.IsValid() {
		return doc
	}
	span := strings.Replace(f.Tag.Get("range"), "..", " to ", 1)
	if strings.Contains(doc, span) {
		return doc
	}
	if l.zero {
		span += fmt.Sprintf(", or %v", reflect.Zero(f.Type))
	}
	return doc + " Range: " + span + "."
}

// sentence is a doc comment without the name that it begins with.
func sentence(doc, name string) string {
	text := strings.Join(strings.Fields(doc), " ")
	text = strings.TrimPrefix(text, name+" ")
	for _, verb := range []string{"is ", "are "} {
		text = strings.TrimPrefix(text, verb)
	}
	return strings.ToUpper(text[:1]) + text[1:]
}

// chapterOf is that of a type.
func chapterOf(all []Chapter, t reflect.Type) Chapter {
	return all[slices.IndexFunc(all, func(c Chapter) bool { return c.of == t })]
}
