package xds

import (
	"maps"
	"slices"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/anypb"
)

// resource is one message ready to be sent, with its content hash.
type resource struct {
	of      proto.Message // that it was made from; nobody changes one
	body    *anypb.Any
	version string
	secrets []string // without which a cluster never gets warm
}

// snapshot is what is published at one moment: immutable.
type snapshot struct {
	resources [kinds]map[string]resource
	versions  [kinds]string
}

// newSnapshot packs resources; what was packed for the one before is taken over,
// where there is one.
func newSnapshot(r Resources, was *snapshot) *snapshot {
	if was == nil {
		was = &snapshot{}
	}
	s := &snapshot{}
	for _, k := range Kinds() {
		s.resources[k] = make(map[string]resource, len(r[k]))
		for name, m := range r[k] {
			res := was.resources[k][name]
			if res.of != m {
				res = resourceOf(m)
			}
			s.resources[k][name] = res
		}
	}
	return s.sealed()
}

func resourceOf(m proto.Message) resource {
	body := pack(m)
	return resource{m, body, version(body.Value), secretsOf(m)}
}

// newTwins are the snapshots of resources with private keys and without. All but
// the secrets are shared.
func newTwins(r Resources, was twins) twins {
	t := twins{whole: newSnapshot(r, was.whole)}
	secrets := Resources{Secrets: r[Secrets]}.Redacted()
	redacted := &snapshot{resources: t.whole.resources}
	redacted.resources[Secrets] = make(map[string]resource, len(secrets[Secrets]))
	for name, m := range secrets[Secrets] {
		redacted.resources[Secrets][name] = resourceOf(m)
	}
	t.redacted = redacted.sealed()
	return t
}

// sealed computes the version of each kind from those of its resources.
func (s *snapshot) sealed() *snapshot {
	for _, k := range Kinds() {
		var parts [][]byte
		for _, name := range slices.Sorted(maps.Keys(s.resources[k])) {
			parts = append(parts, []byte(name), []byte(s.resources[k][name].version))
		}
		s.versions[k] = version(parts...)
	}
	return s
}

// keeping is s together with the pools of old that it no longer has: a cluster
// goes only after no Envoy routes to it any more.
func (s *snapshot) keeping(old *snapshot) (both *snapshot, lingering bool) {
	both = &snapshot{resources: s.resources}
	for _, k := range []Kind{Clusters, Endpoints, Secrets} {
		both.resources[k] = maps.Clone(s.resources[k])
		for name, res := range old.resources[k] {
			if _, ok := both.resources[k][name]; !ok {
				both.resources[k][name] = res
				lingering = true
			}
		}
	}
	return both.sealed(), lingering
}

// delta is what a client lacks that knows the versions in `known`: changed or
// new resources and removed names, sorted, of those it asks for.
func (s *snapshot) delta(k Kind, wants func(string) bool, known map[string]string) (send, gone []string) {
	for name, res := range s.resources[k] {
		if v, ok := known[name]; wants(name) && (!ok || v != res.version) {
			send = append(send, name)
		}
	}
	for name := range known {
		if _, ok := s.resources[k][name]; !ok {
			gone = append(gone, name)
		}
	}
	slices.Sort(send)
	slices.Sort(gone)
	return send, gone
}

// Structural tells whether two translations differ in more than nodes, keys and
// authorities: only then can Envoy refuse what it accepted before.
func Structural(a, b Resources) bool {
	for _, k := range []Kind{Clusters, Listeners, Routes} {
		if !maps.EqualFunc(a[k], b[k], proto.Equal) {
			return true
		}
	}
	return false
}

// Difference is a resource that two translations do not have alike.
type Difference struct {
	Kind   string `json:"kind"`
	Name   string `json:"name"`
	Change string `json:"change"` // Added, Removed or Changed
}

// What may become of a resource.
const (
	Added   = "added"
	Removed = "removed"
	Changed = "changed"
)

// Differences are the resources that have to be pushed, or that go, when b takes the
// place of a: kinds in the order of a push, names in theirs.
func Differences(a, b Resources) []Difference {
	var all []Difference
	for _, k := range Kinds() {
		names := slices.Concat(a.Names(k), b.Names(k))
		slices.Sort(names)
		for _, name := range slices.Compact(names) {
			was, before := a[k][name]
			is, after := b[k][name]
			switch {
			case !before:
				all = append(all, Difference{k.String(), name, Added})
			case !after:
				all = append(all, Difference{k.String(), name, Removed})
			case !proto.Equal(was, is):
				all = append(all, Difference{k.String(), name, Changed})
			}
		}
	}
	return all
}
