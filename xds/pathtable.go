package xds

import (
	"reflect"
	"slices"

	xdsmatcherv3 "github.com/cncf/xds/go/xds/type/matcher/v3"
	routev3 "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"
	"google.golang.org/protobuf/proto"

	"usher/model"
)

// pathTable is what the routes of one listener are made from, and what they became:
// a branch for each first segment of a path.
type pathTable struct {
	first, listener model.Listener // but for their routes
	routes          []model.Route
	ids             map[origin]*identity
	branches        map[string]branch
	head, host      *routev3.VirtualHost // without and with the branches
}

// origin finds what a route was before.
type origin struct{ path, exact, regex, pool string }

// identity is what the entry of a route is made from beside its listener: the
// same pointer stands for the same entry.
type identity struct {
	route model.Route
	pool  *poolPart // nil where no node is asked
	key   string    // of the entry
}

// branch is what becomes of the requests for paths with one first segment.
type branch struct {
	of   []*identity
	then *xdsmatcherv3.Matcher_OnMatch
}

// pathTable begins that of a listener, with the one of the past where its parts can be
// taken over.
func (s socket) pathTable(l model.Listener) (t, old *pathTable) {
	first, own := s.first(), l
	first.Routes, own.Routes = nil, nil
	t = &pathTable{first: first, listener: own, routes: l.Routes, ids: map[origin]*identity{}, branches: map[string]branch{}}
	if s.was != nil {
		old = s.was.tables[l.Name]
	}
	if old == nil || !reflect.DeepEqual(old.first, t.first) || !reflect.DeepEqual(old.listener, t.listener) {
		return t, &pathTable{}
	}
	return t, old
}

// recall is the identity of the past for an entry that would be the same again.
// Where answers are searched for the nodes' names, all routes count.
func (t *pathTable) recall(id *identity, old *pathTable) (_ *identity, same bool) {
	from := origin{id.route.Path, id.route.Exact, string(id.route.Regex), id.route.Pool}
	was := old.ids[from]
	if was != nil && was.pool == id.pool && reflect.DeepEqual(was.route, id.route) &&
		(id.pool == nil || id.pool.pool.Reverse == nil || reflect.DeepEqual(old.routes, t.routes)) {
		id, same = was, true
	}
	t.ids[from] = id
	return id, same
}

// branch is that of some entries, or the one of the past.
func (t *pathTable) branch(key string, entries []*entry, old *pathTable) *xdsmatcherv3.Matcher_OnMatch {
	b := branch{}
	for _, e := range entries {
		b.of = append(b.of, e.id)
	}
	was, known := old.branches[key]
	if known && slices.Equal(was.of, b.of) && !slices.Contains(b.of, nil) {
		b.then = was.then
	} else if b.then = byMethod(entries); known && proto.Equal(b.then, was.then) {
		b.then = was.then
	}
	t.branches[key] = b
	return b.then
}

// same tells whether all of it is that of the past.
func (t *pathTable) same(old *pathTable) bool {
	if old.host == nil || len(t.branches) != len(old.branches) || !proto.Equal(t.head, old.head) {
		return false
	}
	for key, b := range t.branches {
		if old.branches[key].then != b.then {
			return false
		}
	}
	return true
}
