package model

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

// What the README's blocks leave out: around a fragment, and behind a file whose
// pools are told elsewhere.
const (
	readmeListener = "listeners:\n  - name: http\n    address: 0.0.0.0:8080\n"
	readmeRoutes   = readmeListener + "    routes: [{path: /, pool: identity}]\n"
	readmePools    = "pools:\n" +
		"  - {name: directory, nodes: [{name: a, address: 192.0.2.1:389}]}\n" +
		"  - {name: thrift, nodes: [{name: a, address: 192.0.2.1:10500}]}\n" +
		"  - name: identity\n    nodes: [{name: isNode1, address: 192.0.2.1:9763}]\n"
)

// otherFile begins a block that is no cluster.yaml: Prometheus' own file, and the
// one for OpenID Connect.
var otherFile = regexp.MustCompile(`^(# prometheus\.yml|issuer:)`)

// The blocks that a reader may copy are good files, or good parts of one.
func TestWhatTheReadmeShowsIsTaken(t *testing.T) {
	text, err := os.ReadFile(readme)
	if err != nil {
		t.Fatal(err)
	}
	blocks := regexp.MustCompile("(?ms)^```yaml\n(.*?)^```$").FindAllStringSubmatchIndex(string(text), -1)
	if len(blocks) == 0 {
		t.Fatal("no block of YAML in the README")
	}
	for _, at := range blocks {
		block := string(text[at[2]:at[3]])
		if otherFile.MatchString(block) {
			continue
		}
		file, ok := wholeFile(block)
		line := strings.Count(string(text[:at[2]]), "\n") + 1
		if !ok {
			t.Errorf("README.md:%d: no file that this test knows, and no part of one", line)
			continue
		}
		if _, problems := Parse("cluster.yaml", []byte(file)); len(problems) > 0 {
			t.Errorf("README.md:%d: %v\nin\n%s", line, problems, file)
		}
	}
}

// wholeFile is a block with what it leaves out.
func wholeFile(block string) (file string, ok bool) {
	first, _, _ := strings.Cut(block, "\n")
	switch first {
	case "listeners:":
		if !strings.Contains(block, "\npools:\n") {
			block += readmePools
		}
		return block, true
	case "    routes:":
		return readmeListener + block + readmePools, true
	case "    sticky:":
		return readmeRoutes + readmePools + block, true
	}
	return "", false
}
