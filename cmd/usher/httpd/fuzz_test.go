package httpd

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/tools/txtar"

	"usher/model"
)

// Whatever is read, there is an answer: the file has passed model.Parse, or the
// problems are said, and every directive has a row.
func FuzzImport(f *testing.F) {
	files, err := filepath.Glob("testdata/*.txtar")
	if err != nil {
		f.Fatal(err)
	}
	for _, file := range files {
		archive, err := txtar.ParseFile(file)
		if err != nil {
			f.Fatal(err)
		}
		for _, a := range archive.Files {
			if a.Name != wantYAML && a.Name != wantReport {
				f.Add(a.Data)
			}
		}
	}
	f.Fuzz(func(t *testing.T, config []byte) {
		result, err := Import(machine([]txtar.File{{Name: "httpd.conf", Data: config}}), workDir, []string{"httpd.conf"})
		if err != nil {
			if len(config) <= maxFile {
				t.Fatal(err)
			}
			return
		}
		for _, p := range result.Problems {
			if p.Field != "listeners" && len(config) < 1<<16 { // nothing to listen on
				t.Errorf("%s\nof:\n%s", p, result.YAML)
			}
		}
		if bytes.ContainsAny(result.YAML, "\x00\x1b\r") {
			t.Errorf("a control character got into %q", result.YAML)
		}
		for _, r := range result.Report {
			if strings.ContainsAny(r.String(), "\n\r\x1b") || !r.Verdict.isOne() || r.Line < 1 {
				t.Errorf("%q", r)
			}
		}
	})
}

func TestAHostileConfigurationCostsNeitherTimeNorMemory(t *testing.T) {
	double := "Define A xxxxxxxxxxxxxxxx\n"
	for range 40 {
		double += "Define A ${A}${A}\n"
	}
	macros := "<Macro M0>\nListen 80\n</Macro>\n"
	for i := 1; i < 40; i++ {
		macros += fmt.Sprintf("<Macro M%d>\nUse M%d\nUse M%d\n</Macro>\n", i, i-1, i-1)
	}
	locations := "Listen 80\nProxyPass / http://a/\n"
	for i := range 700 {
		locations += fmt.Sprintf("<Location /%d>\nRequire ip 10.0.0.%d\n</Location>\n", i, i%250)
	}
	for name, config := range map[string]string{
		"variables": double + "ProxyPass / http://${A}/\n",
		"macros":    macros + "Use M39\n",
		"sections":  strings.Repeat("<IfModule a>\n", 20_000),
		"nested":    strings.Repeat("<If x>\n", 20_000),
		"line":      strings.Repeat("x\\\n", 1_000_000),
		"quotes":    "Listen " + strings.Repeat(`"`, 60_000),
		"includes":  "Include *\nInclude httpd.conf\n",
		"hosts":     "Listen 80\n<VirtualHost *:80>\nServerAlias " + strings.Repeat("a.b ", 10_000) + "\n</VirtualHost>\n",
		"locations": locations,
		"denied":    "Listen 80\nProxyPass / http://a/\n<Location />\nOrder allow,deny\nAllow from all\n" + strings.Repeat("Deny from 1.2.3.4 5.6.7.8\n", 1000) + "</Location>\n",
	} {
		t.Run(name, func(t *testing.T) {
			began := time.Now()
			result, err := Import(machine([]txtar.File{{Name: "httpd.conf", Data: []byte(config)}}), workDir, []string{"httpd.conf"})
			if err != nil {
				t.Fatal(err)
			}
			t.Logf("%d rows, %d bytes in %s", len(result.Report), len(result.YAML), time.Since(began))
			if spent := time.Since(began); spent > time.Minute {
				t.Errorf("it took %s", spent)
			}
		})
	}
}

func TestTheFileIsWhatModelReads(t *testing.T) {
	for _, s := range []string{"", "a", "on", "Yes", "null", "~", "1", "0x1", "1_000", "1e3", ".5", "a: b", "a #b", "*", "&a", "!a", "%a", "@a", "`a", "'", `"`, `\`, "a\\b", "ü", "a\u2028b", "- a", "[a]", "{a}", "a,b", "::1", "a:", "/a:b", "12:30", "2001-01-01", "=", "<<", "\x01"} {
		text := "listeners: [{name: l, address: ':80', routes: [{path: /, respond: {status: 200, body: " + scalar(s) + "}}]}]\n"
		c, problems := model.Parse("cluster.yaml", []byte(text))
		if s == "%a" {
			continue // a percent sign is refused, and was read
		}
		if len(problems) > 0 && s != "" {
			t.Errorf("%q as %s: %s", s, scalar(s), problems)
			continue
		}
		if got := c.Listeners[0].Routes[0].Respond.Body; got != s {
			t.Errorf("%q as %s was read as %q", s, scalar(s), got)
		}
	}
}

// Lines of all cases, in any order, with words of other lines in them: what comes
// out is always good.
func TestAnyMixOfLinesIsGood(t *testing.T) {
	lines, words := corpus(t)
	random := rand.New(rand.NewPCG(1, 2))
	for range 400 {
		config := "Listen 80\nListen 443\n"
		for range 1 + random.IntN(40) {
			l := strings.Fields(lines[random.IntN(len(lines))])
			if random.IntN(3) == 0 {
				l[random.IntN(len(l))] = words[random.IntN(len(words))]
			}
			config += strings.Join(l, " ") + "\n"
		}
		result, err := Import(machine([]txtar.File{{Name: "httpd.conf", Data: []byte(config)}, {Name: "ca.pem"}}), workDir, []string{"httpd.conf"})
		if err != nil {
			t.Fatal(err)
		}
		if len(result.Problems) > 0 {
			t.Fatalf("%s\nof:\n%s\nfrom:\n%s", result.Problems, result.YAML, config)
		}
	}
}

// corpus are the lines of all cases, and their words.
func corpus(t *testing.T) (lines, words []string) {
	t.Helper()
	files, err := filepath.Glob("testdata/*.txtar")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		archive, err := txtar.ParseFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, a := range archive.Files {
			if a.Name == wantYAML || a.Name == wantReport || strings.HasSuffix(a.Name, "envvars") {
				continue
			}
			for l := range strings.Lines(string(a.Data)) {
				if fields := strings.Fields(l); len(fields) > 0 {
					lines, words = append(lines, l), append(words, fields...)
				}
			}
		}
	}
	return lines, words
}
