package xds

import (
	"encoding/base64"
	"regexp"
	"slices"
	"strings"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	routev3 "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"
	h2mv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/header_to_metadata/v3"
	"google.golang.org/protobuf/encoding/protowire"

	"usher/model"
)

// seat says what the request is, and which nodes may serve it.
func (x *explainer) seat(p backend, r model.Route, route *routev3.Route) {
	said := route.Metadata.GetFilterMetadata()[usherNamespace].GetFields()
	x.e.Outcome, x.e.Asked = said[whyKey].GetStringValue(), said[askedKey].GetStringValue()
	b := x.backend(p, route.GetRoute().GetCluster())
	wants := order(route.GetRoute().GetMetadataMatch())
	if enabled(route, largeFilter) {
		wants = x.ask(seating{backend: p, strict: r.OnFailure == model.Error}, wants)
	} else if name := x.written(route); name != "" {
		x.e.Asked = name
		if x.e.Outcome == "" {
			wants = append([]string{name}, wants...)
		}
	}
	x.sayAsked()
	switch kept := x.kept(b, p); {
	case kept != "" && !r.Sticky.Off() && x.sees(b, kept):
		x.e.Nodes = []string{kept}
		x.say("the cookie of Envoy's own session names %s, which can serve", kept)
	case len(wants) > 0:
		x.look(b, wants)
	default:
		x.any(b, b.Nodes, "")
	}
	x.conclude()
}

// backend is the pool as the cluster that a route goes to.
func (x *explainer) backend(p backend, cluster string) backend {
	i := slices.IndexFunc(x.c.Pools, func(o model.Pool) bool { return o.Name == filePool(p.Name) })
	for _, b := range backends(x.m.wished(x.c.Pools[i]), usesOf(x.c.Listeners)[x.c.Pools[i].Name]) {
		if b.Name == cluster {
			return b
		}
	}
	return p
}

// order are the names that a route looks for, without one that a filter writes.
func order(m *corev3.Metadata) (names []string) {
	fields := m.GetFilterMetadata()[lbNamespace].GetFields()
	if name := fields[routeKey].GetStringValue(); name != "" {
		names = append(names, name)
	}
	for _, v := range fields[fallbackKey].GetListValue().GetValues() {
		if name := v.GetStructValue().GetFields()[routeKey].GetStringValue(); name != "" {
			names = append(names, name)
		}
	}
	return names
}

// written is the node's name that the route's filter reads from the request.
func (x *explainer) written(route *routev3.Route) string {
	config := &h2mv3.Config{}
	if any := route.TypedPerFilterConfig[h2mFilter]; any == nil || any.UnmarshalTo(config) != nil {
		return ""
	}
	for _, rule := range config.RequestRules {
		set := rule.GetOnHeaderPresent()
		if set.GetKey() != routeKey && set.GetKey() != askedKey {
			continue
		}
		text := x.header(rule.GetHeader())
		if rule.GetCookie() != "" {
			text, _ = x.cookie(rule.GetCookie())
		}
		re := regexp.MustCompile(set.GetRegexValueRewrite().GetPattern().GetRegex())
		if found := re.FindStringSubmatch(text); len(found) > 1 {
			return found[1]
		}
	}
	return ""
}

var inWords = map[string]string{
	outcomeNew:     "the request names no node: it is a new session",
	outcomeUnknown: "the pool has no such node: it is balanced as a new session",
	outcomeDrained: "that node is disabled: the session moves",
	outcomeHash:    "its node follows from a hash",
	outcomeNone:    "it belongs to no session",
}

func (x *explainer) sayAsked() {
	if x.e.Asked != "" {
		x.say("the request names %s", x.e.Asked)
	}
	if words := inWords[x.e.Outcome]; words != "" {
		x.say("%s", words)
	}
}

// look goes through the names until one has a node that can serve.
func (x *explainer) look(b backend, names []string) {
	for _, name := range names {
		var those []model.Node
		for _, n := range b.Nodes {
			if slices.Contains(b.answersTo(n), name) {
				those = append(those, n)
			}
		}
		if x.any(b, those, name) {
			return
		}
	}
}

// any takes those of the nodes that can serve, the first priority first, and tells
// whether there is one.
func (x *explainer) any(b backend, nodes []model.Node, name string) bool {
	var able [3][]string
	var whole [3]int
	for _, n := range nodes {
		if len(b.answersTo(n)) == 0 {
			continue
		}
		i := b.priority(n)
		whole[i]++
		if x.sees(b, n.Name) {
			able[i] = append(able[i], n.Name)
		}
	}
	for i := range able {
		x.e.Nodes = append(x.e.Nodes, able[i]...)
		short := i == 0 && b.spares() && len(able[i]) < whole[i] // spares take the share of what has failed
		if len(able[i]) > 0 && !short {
			break
		}
	}
	if len(x.e.Nodes) == 0 {
		return false
	}
	x.say("%s by %s", map[bool]string{true: "it is served", false: "it is balanced (" + string(b.Balance) + ") among those that serve " + strings.TrimPrefix(name, "@")}[len(x.e.Nodes) == 1], strings.Join(x.e.Nodes, ", "))
	return true
}

// sees tells whether Envoy thinks that a node can serve, and says so where not.
func (x *explainer) sees(b backend, node string) bool {
	s := x.sight(NodeOf{filePool(b.Name), node})
	if !s.Healthy {
		x.say("%s can't serve: %s", node, s.Why)
	}
	return s.Healthy
}

// kept is the node that the cookie of Envoy's own session holds the address of.
func (x *explainer) kept(b, p backend) string {
	c := p.StatefulSession()
	if c == nil {
		return ""
	}
	value, _ := x.cookie(c.Name)
	text, err := base64.StdEncoding.DecodeString(value)
	if err != nil {
		return ""
	}
	if _, _, n := protowire.ConsumeTag(text); n > 0 { // a message whose first field is the address
		if address, n := protowire.ConsumeBytes(text[n:]); n > 0 {
			text = address
		}
	}
	for _, n := range b.Nodes {
		if at, ok := locate(n.Address, x.m.IPs); ok && at.String() == string(text) && len(b.answersTo(n)) > 0 {
			return n.Name
		}
	}
	return ""
}

// conclude says what becomes of the session.
func (x *explainer) conclude() {
	switch {
	case len(x.e.Nodes) == 0:
		x.e.Outcome = "unserved"
		x.answer(503, "no node can serve")
	case x.e.Outcome == "" && slices.Equal(x.e.Nodes, []string{x.e.Asked}):
		x.e.Outcome = "sticky"
	case x.e.Outcome == "":
		x.e.Outcome = "failover"
	}
	x.say("outcome: %s", x.e.Outcome)
}
