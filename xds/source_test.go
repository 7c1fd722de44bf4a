package xds

import (
	"strings"
	"testing"
)

func TestWhereARequestNamesItsNode(t *testing.T) {
	dot, whole := source{name: "SID", separator: "."}, source{name: "SID"}
	path, bang := source{name: "sid", inPath: true, separator: "."}, source{name: "sid", inPath: true, separator: "!"}
	for name, c := range map[string]struct {
		pattern   string
		yes, none []string
	}{
		"a cookie":        {dot.value(oneOf([]string{"a", "b.c"}), ""), []string{"1.a", ".a", "1.b.c"}, []string{"a", "1.b", "1.bxc", "1.aa", "1.x.a", "1.", ""}},
		"the whole value": {whole.value("a", ""), []string{"a"}, []string{"1.a", ".a", "aa"}},
		"one of several": {dot.crumb("a"), []string{"SID=1.a", "x=1; SID=1.a", "SID=1.b; SID=2.a", "SID=1.a;y", "x=1,SID=1.a , y=2"},
			[]string{"XSID=1.a", "SID=1.b", "SID=1; x=2.a", "x=SID=1.a", "SID=1.ab"}},
		"a path": {path.path("a"), []string{"/x;sid=1.a", "/;sid=1.a?q", "/x;y=1;sid=1.a;z/b", "/x;sid=1.b/y;sid=1.a"},
			[]string{"/x?;sid=1.a", "/x;ssid=1.a", "/sid=1.a", "/x;sid=1.a.b", "/x;sid=a", "/x;sid=1/y.a"}},
		"another mark": {bang.path("a"), []string{"/x;sid=1!a", "/x;sid=1.2!a"}, []string{"/x;sid=1.a", "/x;sid=1!2!a"}},
	} {
		for _, text := range c.yes {
			if !fullMatch(c.pattern, text) {
				t.Errorf("%s: %q does not match %s", name, text, c.pattern)
			}
		}
		for _, text := range c.none {
			if fullMatch(c.pattern, text) {
				t.Errorf("%s: %q matches %s", name, text, c.pattern)
			}
		}
	}
}

func TestTwoCookiesOfOneName(t *testing.T) {
	pattern := source{name: "SID"}.twice()[0].GetStringMatch().GetSafeRegex().Regex
	for header, want := range map[string]bool{
		"SID=1; SID=2": true, "SID=1;SID=2": true, "x=1; SID=1; y=2; SID=3": true, "SID=1,SID=2": true,
		"SID=1": false, "SID=1; XSID=2": false, "XSID=1; SID=2": false, "x=SID=1; SID=2": false, "SID=SID=1": false,
	} {
		if fullMatch(pattern, header) != want {
			t.Errorf("%q: want %v of %s", header, want, pattern)
		}
	}
}

func TestAPathGoesBeforeItsCookie(t *testing.T) {
	var got []string
	for _, by := range sources(poolOf("a", byBoth, byOwn).Pool) {
		got = append(got, by.name+by.separator)
	}
	if want := "sid. SID. ROUTEID."; strings.Join(got, " ") != want {
		t.Errorf("%v, want %s", got, want)
	}
}
