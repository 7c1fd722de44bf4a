package login

import (
	"fmt"
	"slices"
	"strings"
	"unicode"
)

// user reads the claims of somebody whom the provider knows.
func (p *Provider) user(claims map[string]any) (User, error) {
	name, _ := dig(claims, p.Name).(string)
	if name == "" || len(name) > 256 || strings.ContainsFunc(name, unicode.IsControl) {
		return User{}, fmt.Errorf("the claim %s is not a name", p.Name)
	}
	u := User{Name: name, Via: ViaOIDC}
	values := texts(dig(claims, p.Roles.Claim))
	switch {
	case anyOf(values, p.Roles.Operator):
		u.Role = Operator
	case anyOf(values, p.Roles.Viewer):
		u.Role = Viewer
	default:
		return u, fmt.Errorf("%w are in the claim %s", errNoRole, p.Roles.Claim)
	}
	return u, nil
}

func anyOf(values, wanted []string) bool {
	return slices.ContainsFunc(values, func(v string) bool { return slices.Contains(wanted, v) })
}

// dig is a claim; where none has the whole name, dots lead into objects.
func dig(claims map[string]any, name string) any {
	if v, there := claims[name]; there {
		return v
	}
	outer, inner, more := strings.Cut(name, ".")
	if into, ok := claims[outer].(map[string]any); ok && more {
		return dig(into, inner)
	}
	return nil
}

// texts are the values of a claim: a list, or one text, in which some providers
// put commas between them.
func texts(claim any) (all []string) {
	switch v := claim.(type) {
	case string:
		all = append(all, v)
		if strings.Contains(v, ",") {
			for _, part := range strings.Split(v, ",") {
				all = append(all, strings.TrimSpace(part))
			}
		}
	case []any:
		for _, each := range v {
			if s, ok := each.(string); ok {
				all = append(all, s)
			}
		}
	}
	return all
}
