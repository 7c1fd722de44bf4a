package xds

import (
	routev3 "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"
	rbacv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/rbac/v3"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/anypb"

	"usher/model"
)

// enable gives a route a configuration of one of the listener's filters, all of
// which are disabled by themselves.
func enable(r *routev3.Route, filter string, config proto.Message) {
	if r.TypedPerFilterConfig == nil {
		r.TypedPerFilterConfig = map[string]*anypb.Any{}
	}
	r.TypedPerFilterConfig[filter] = pack(config)
}

func enabled(r *routev3.Route, filter string) bool { return r.TypedPerFilterConfig[filter] != nil }

const rbacFilter = "envoy.filters.http.rbac"

// onlyFrom lets only these addresses use a route; all others get 403.
func onlyFrom(r *routev3.Route, networks []model.Network) {
	if len(networks) > 0 {
		enable(r, rbacFilter, &rbacv3.RBACPerRoute{Rbac: &rbacv3.RBAC{Rules: only(networks)}})
	}
}

// restricts tells whether a path is open to some addresses only.
func (s socket) restricts() bool {
	for _, l := range s.listeners {
		for _, r := range l.Routes {
			if len(r.Allow) > 0 {
				return true
			}
		}
	}
	return false
}

// stateful tells whether a session of Envoy's own is kept.
func (s socket) stateful() bool {
	return s.forwards(func(r model.Route, p backend) bool { return p.StatefulSession() != nil && !r.Sticky.Off() })
}

// reverses tells whether answers are mapped.
func (s socket) reverses() bool {
	return s.forwards(func(_ model.Route, p backend) bool { return p.Reverse != nil })
}
