package xds

import (
	"regexp"
	"testing"

	"usher/model"
)

func TestAPathIsKnownInEverySpelling(t *testing.T) {
	for path, spelled := range map[string][]string{
		"/a@b":    {"/a@b", "/a%40b", "/a%40b/x", "/a%40b;p/x"},
		"/x:y/z":  {"/x:y/z", "/x%3ay/z", "/x%3Ay/z"},
		"/a|b":    {"/a%7Cb", "/a%7cb"},
		"/café/x": {"/caf%C3%A9/x", "/caf%c3%a9/x"},
	} {
		pattern := regexp.MustCompile(anchored(pathPattern(model.Route{Path: path, Deny: true})))
		for _, s := range spelled {
			if !pattern.MatchString(s) {
				t.Errorf("%s does not cover %s", path, s)
			}
		}
	}
	for _, r := range []model.Route{{Path: "/a@b"}, {Path: "/café/x"}} {
		if key := firstSegment(r); key != "" {
			t.Errorf("%s is looked up by %q, which is one spelling of it", r.Path, key)
		}
	}
}

func TestAnExactPathKeepsItsSlash(t *testing.T) {
	pattern := regexp.MustCompile(exactly("/app/"))
	for path, want := range map[string]bool{"/app/": true, "/app;v=1/": true, "/app/;v=1": true, "/app": false, "/app/x": false} {
		if pattern.MatchString(path) != want {
			t.Errorf("%s: %v", path, !want)
		}
	}
}
