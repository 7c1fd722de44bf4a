// Package xds turns a model.Cluster into what Envoy understands, and tells
// every connected Envoy about it.
//
// Translate and all below it are pure and total: no error result, no clock, no
// file, no goroutine; what could fail is a problem that model names before.
// Server keeps what is published and which Envoy has accepted what. It serves
// the loop in cmd/usher, which alone decides what is published and when.
package xds

import (
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"slices"

	resourcev3 "github.com/envoyproxy/go-control-plane/pkg/resource/v3"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/anypb"
)

// Kind is one of Envoy's resource types, in the order in which they are pushed:
// nothing names what has not been sent before.
type Kind int

// The kinds that usher publishes.
const (
	Clusters Kind = iota
	Endpoints
	Secrets
	Listeners
	Routes
	kinds // how many there are
)

var kindNames = [kinds]string{"clusters", "endpoints", "secrets", "listeners", "routes"}

var typeURLs = [kinds]string{
	resourcev3.ClusterType, resourcev3.EndpointType, resourcev3.SecretType,
	resourcev3.ListenerType, resourcev3.RouteType,
}

// Kinds are all kinds, in the order of a push.
func Kinds() []Kind { return []Kind{Clusters, Endpoints, Secrets, Listeners, Routes} }

// String is the kind's name in status and messages.
func (k Kind) String() string { return kindNames[k] }

// TypeURL is the name that the xDS protocol has for the kind.
func (k Kind) TypeURL() string { return typeURLs[k] }

func kindOf(typeURL string) (Kind, bool) {
	i := slices.Index(typeURLs[:], typeURL)
	return Kind(i), i >= 0
}

// Resources are what Envoy is told, by kind and name.
type Resources [kinds]map[string]proto.Message

// Names are the names of one kind, sorted.
func (r Resources) Names(k Kind) []string { return slices.Sorted(maps.Keys(r[k])) }

func (r *Resources) put(k Kind, name string, m proto.Message) {
	if r[k] == nil {
		r[k] = map[string]proto.Message{}
	}
	r[k][name] = m
}

// pack is anypb.New with stable bytes: maps are written in order, so that
// equal messages have equal hashes. Marshalling a message that this package
// made cannot fail; a failure is a bug here and panics.
func pack(m proto.Message) *anypb.Any {
	b, err := proto.MarshalOptions{Deterministic: true}.Marshal(m)
	if err != nil {
		panic("xds: marshal " + string(m.ProtoReflect().Descriptor().FullName()) + ": " + err.Error())
	}
	return &anypb.Any{TypeUrl: "type.googleapis.com/" + string(m.ProtoReflect().Descriptor().FullName()), Value: b}
}

// version is a content hash: equal content has an equal version, also after a
// restart of usher, so that nothing unchanged is pushed again.
func version(parts ...[]byte) string {
	h := sha256.New()
	for _, p := range parts {
		h.Write(p)
		h.Write([]byte{0})
	}
	return hex.EncodeToString(h.Sum(nil)[:8])
}
