package xds

import (
	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	rbacv3 "github.com/envoyproxy/go-control-plane/envoy/config/rbac/v3"

	"usher/model"
)

// only lets these addresses pass. It is the client's, also behind trusted proxies.
func only(networks []model.Network) *rbacv3.RBAC {
	var principals []*rbacv3.Principal
	for _, n := range networks {
		principals = append(principals, &rbacv3.Principal{Identifier: &rbacv3.Principal_RemoteIp{RemoteIp: cidr(n)}})
	}
	return &rbacv3.RBAC{
		Action: rbacv3.RBAC_ALLOW,
		Policies: map[string]*rbacv3.Policy{"allow": {
			Permissions: []*rbacv3.Permission{{Rule: &rbacv3.Permission_Any{Any: true}}},
			Principals:  principals,
		}},
	}
}

func cidr(n model.Network) *corev3.CidrRange {
	return &corev3.CidrRange{AddressPrefix: n.Addr().String(), PrefixLen: u32(uint32(n.Bits()))} //nolint:gosec // 0 to 128
}
