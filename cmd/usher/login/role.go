package login

import "fmt"

// Role is what somebody may do. The zero Role may nothing.
type Role int

// The roles, each with all that those before it may do.
const (
	Viewer   Role = iota + 1 // reads everything but secrets, which nobody is shown
	Operator                 // changes what is balanced, and how
)

var roleNames = map[Role]string{Viewer: "viewer", Operator: "operator"}

// ParseRole reads a role's name.
func ParseRole(name string) (Role, error) {
	for r, n := range roleNames {
		if n == name {
			return r, nil
		}
	}
	return 0, fmt.Errorf("%q is not a role: choose operator or viewer", name)
}

// May tells whether whoever has the role may do what another role may.
func (r Role) May(other Role) bool { return other >= Viewer && r >= other }

// String is the role's name, empty for the zero Role.
func (r Role) String() string { return roleNames[r] }

// MarshalText is the role's name.
func (r Role) MarshalText() ([]byte, error) { return []byte(r.String()), nil }

// UnmarshalText reads the role's name.
func (r *Role) UnmarshalText(text []byte) (err error) {
	*r, err = ParseRole(string(text))
	return err
}

// Set and Type make it a flag.
func (r *Role) Set(text string) error { return r.UnmarshalText([]byte(text)) }

// Type names it in --help.
func (r *Role) Type() string { return "role" }
