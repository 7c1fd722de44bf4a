package model

import (
	"regexp"
	"slices"
	"strings"
)

// insert puts a route of the preset before each of the file that its path may come
// by, with all that this one asks of its requests: what the preset is about is on
// the node, so paths count as clients write them and as the node gets them. A path
// that the file has itself is left to the file.
func (p ListenerPreset) insert(routes []Route, r Route) []Route {
	if slices.ContainsFunc(routes, func(o Route) bool { return o.Path == r.Path }) {
		return routes
	}
	var all []Route
	for _, wider := range routes {
		for _, path := range wider.shows(r.Path) {
			taken := func(o Route) bool { return o.Path == path }
			hides := func(o Route) bool { return o.Path != "" && covers(o.Path, path) }
			if (r.Deny || wider.follows(path)) && !slices.ContainsFunc(routes, taken) && !slices.ContainsFunc(all, hides) {
				all = append(all, p.narrowed(wider, r, path))
			}
		}
		all = append(all, wider)
	}
	return all
}

// shows are the paths by which clients come through the route to a path of the
// node, or to what they would call so.
func (r Route) shows(path string) (paths []string) {
	switch {
	case !r.Forwards() || r.Exact != "":
	case r.Regex != "":
		if r.Regex.wider(path) {
			return []string{path}
		}
	default:
		if below := meet(r.Path, r.Path, path); below != "" {
			paths = append(paths, below)
		}
		if inner := meet(r.Path, r.Rewrite, path); r.Rewrite != "" && inner != "" && !slices.Contains(paths, inner) {
			paths = append(paths, inner)
		}
	}
	return paths
}

// meet is what all below inside, which clients know as outside, has in common with
// path, as clients know it; empty where that is nothing.
func meet(outside, inside, path string) string {
	in, want := split(inside), split(path)
	if len(in) > len(want) {
		return ""
	}
	common := slices.Clone(in)
	for i, segment := range in {
		switch {
		case segment == "*":
			common[i] = want[i]
		case want[i] != "*" && want[i] != segment:
			return ""
		}
	}
	if outside != inside {
		common = split(outside)
	}
	return "/" + strings.Join(append(common, want[len(in):]...), "/")
}

// split parts a path into its segments.
func split(path string) []string {
	return strings.FieldsFunc(path, func(c rune) bool { return c == '/' })
}

// wider tells whether the expression matches a path, or something below it, and its
// neighbours as well.
func (e Regex) wider(path string) bool {
	whole, err := regexp.Compile("^(?:" + string(e) + ")$")
	if err != nil {
		return false
	}
	below := func(path string) bool {
		return whole.MatchString(path) || whole.MatchString(path+"/") || whole.MatchString(path+"/x")
	}
	sample := strings.ReplaceAll(path, "*", "x")
	return below(sample) && below(sample[:strings.LastIndex(sample, "/")]+"/x")
}

// follows tells whether the route can say what the node gets for a path below it.
func (r Route) follows(path string) bool {
	return r.Rewrite == "" || r.Regex == "" && !strings.Contains(path, "*")
}

// narrowed is the preset's route at a path of a wider one. Where the wider one's
// rewrite says nothing of the path, what shall be closed is closed.
func (p ListenerPreset) narrowed(wider, r Route, path string) Route {
	opened := r.Deny && len(p.Allow) > 0 && len(wider.Allow) == 0
	if r.Deny && (!opened || !wider.follows(path)) {
		r.Path = path
		return r
	}
	narrower := wider
	narrower.Path, narrower.Regex, narrower.made = path, "", true
	if wider.Rewrite != "" {
		narrower.Rewrite = strings.TrimSuffix(wider.Rewrite, "/") + strings.TrimPrefix(path, strings.TrimSuffix(wider.Path, "/"))
	}
	if opened {
		narrower.Allow = p.Allow
	} else {
		narrower.Sticky, narrower.Balance = r.Sticky, r.Balance
	}
	return narrower
}
