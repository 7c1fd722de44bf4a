package model

import (
	"bytes"
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	yaml "go.yaml.in/yaml/v4"
	"golang.org/x/tools/txtar"
)

// What usher serves, an editor must not underline, and a fault that an editor can
// see it shall show.
func TestSchemaAndParserAgree(t *testing.T) {
	s, good, refused := compiled(t), 0, 0
	for name, text := range documents(t) {
		_, problems := Parse("cluster.yaml", text)
		doc, ok := asJSON(text)
		if !ok {
			continue // its YAML is not sound: no schema is asked
		}
		err := s.Validate(doc)
		switch {
		case len(problems) == 0 && err != nil:
			t.Errorf("%s is good, but not by the schema: %v", name, err)
		case err == nil && structural.MatchString(problems.Error()) && !strings.Contains(name, "merge_key"):
			t.Errorf("%s passes the schema: %v", name, problems)
		case err != nil:
			refused++
		case len(problems) == 0:
			good++
		}
	}
	if good < 50 || refused < 50 {
		t.Errorf("only %d good files and %d refused ones", good, refused)
	}
}

// structural are the faults of one value alone.
var structural = regexp.MustCompile(`there is no such key|is not known here|belongs?\n|belong\n|: \d+ is out of range|lets nothing through` +
	`|is not a (weight|share|duration|port|number)|has no value|neither true nor false|no HTTP status|is not HOST:PORT|has no (name|address|nodes|listeners)` +
	`|not the SHA-256|: dns-01`)

func compiled(t *testing.T) *jsonschema.Schema {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(Schema()))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	if err := c.AddResource("cluster.json", doc); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("cluster.json")
	if err != nil {
		t.Fatal(err) // also where the draft's own schema refuses ours
	}
	return s
}

// documents are all that looks like a cluster file in the repository: files, parts
// of tests, and blocks of the README.
func documents(t *testing.T) map[string][]byte {
	t.Helper()
	all := map[string][]byte{}
	add := func(name string, text []byte) {
		if bytes.Contains(text, []byte("listeners")) {
			all[name] = text
		}
	}
	err := filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		hidden := strings.HasPrefix(d.Name(), ".") && path != ".."
		switch {
		case err != nil:
			return err
		case d.IsDir() && hidden:
			return filepath.SkipDir
		case d.IsDir() || hidden:
			return nil
		}
		text, err := os.ReadFile(path)
		switch filepath.Ext(path) {
		case ".yaml":
			add(path, text)
		case ".txtar":
			for _, part := range txtar.Parse(text).Files {
				if filepath.Ext(part.Name) == ".yaml" {
					add(path+" "+part.Name, part.Data)
				}
			}
		case ".md":
			for _, block := range regexp.MustCompile("(?s)```yaml\n(.*?)```").FindAllSubmatch(text, -1) {
				add(path+" "+strings.SplitN(string(block[1]), "\n", 3)[1], block[1])
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// asJSON is a document as a validator of JSON gets it.
func asJSON(text []byte) (any, bool) {
	var doc any
	if err := yaml.Unmarshal(text, &doc); err != nil {
		return nil, false
	}
	plain, err := json.Marshal(doc)
	if err != nil {
		return nil, false
	}
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(plain))
	return v, err == nil
}

// A default that a comment names is the one that is filled in.
func TestDefaultsAreWhatTheCommentsSay(t *testing.T) {
	keys := map[reflect.Type]map[string]Key{}
	said := map[string]bool{}
	for _, c := range Reference() {
		keys[c.of] = map[string]Key{}
		for _, k := range c.Keys {
			if _, ok := k.Default(); ok {
				keys[c.of][k.Name] = k
				said[c.of.Name()+"."+k.Name] = false
			}
		}
	}
	for _, text := range documents(t) {
		if c, problems := Parse("cluster.yaml", text); len(problems) == 0 {
			seen(c, reflect.ValueOf(*c), "", keys, said)
		}
	}
	for key, ok := range said {
		if !ok {
			t.Errorf("no file that leaves out %s has its default", key)
		}
	}
}

// seen notes the keys that a file leaves out and that have their default.
func seen(c *Cluster, v reflect.Value, path string, keys map[reflect.Type]map[string]Key, said map[string]bool) {
	switch v.Kind() { //nolint:exhaustive // all others hold no keys
	case reflect.Pointer:
		if !v.IsNil() {
			seen(c, v.Elem(), path, keys, said)
		}
	case reflect.Slice:
		for i := range v.Len() {
			seen(c, v.Index(i), item(path, i), keys, said)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			name := v.Type().Field(i).Tag.Get("yaml")
			if name == "" {
				continue
			}
			at := join(path, name)
			seen(c, v.Field(i), at, keys, said)
			if k, ok := keys[v.Type()][name]; ok && !c.has(at) && v.Field(i).Equal(literal(v.Field(i).Type(), k.defaultText())) {
				said[v.Type().Name()+"."+name] = true
			}
		}
	}
}
