package xds

import (
	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	rbacconfigv3 "github.com/envoyproxy/go-control-plane/envoy/config/rbac/v3"
	routev3 "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"
	rbacv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/rbac/v3"

	"usher/model"
)

const rbacFilter = "envoy.filters.http.rbac"

// onlyFrom lets only these addresses use a route; all others get 403. It is the
// client's address, also behind trusted proxies.
func onlyFrom(r *routev3.Route, networks []model.Network) {
	if len(networks) == 0 {
		return
	}
	var principals []*rbacconfigv3.Principal
	for _, n := range networks {
		principals = append(principals, &rbacconfigv3.Principal{Identifier: &rbacconfigv3.Principal_RemoteIp{RemoteIp: cidr(n)}})
	}
	enable(r, rbacFilter, &rbacv3.RBACPerRoute{Rbac: &rbacv3.RBAC{Rules: &rbacconfigv3.RBAC{
		Action: rbacconfigv3.RBAC_ALLOW,
		Policies: map[string]*rbacconfigv3.Policy{"allow": {
			Permissions: []*rbacconfigv3.Permission{{Rule: &rbacconfigv3.Permission_Any{Any: true}}},
			Principals:  principals,
		}},
	}}})
}

func cidr(n model.Network) *corev3.CidrRange {
	return &corev3.CidrRange{AddressPrefix: n.Addr().String(), PrefixLen: u32(uint32(n.Bits()))} //nolint:gosec // 0 to 128
}
