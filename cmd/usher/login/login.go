// Package login decides who asks the console and the API, and what he may do:
// the users file with its passwords and tokens, OpenID Connect, sessions, the
// headers that keep browsers from being turned against their users, limits for
// those who guess, and one line of the log for each who came, failed or was
// turned away.
//
// A Guard holds what all doors share; a Gate is one door, such as the socket in
// the state folder or the console's port, and stands before its handlers:
//
//	guard := login.NewGuard(login.Config{Users: users, Log: log})
//	http.Serve(port, guard.Gate(login.Remote).Wrap(pages))
//
// Handlers ask From who it is, put Require before what not everybody may do, and
// tell Audit what was changed.
//
// It knows nothing of balancing, writes nothing but the users file and the log,
// believes no X-Forwarded header, asks nobody but the provider that its
// operator names, and shows no password, token or cookie to anybody twice.
package login

import (
	"context"
	"log/slog"
	"net/http"
)

// Via is how somebody proved who he is.
type Via string

// The ways to prove it.
const (
	ViaPassword Via = "password"
	ViaToken    Via = "token"    // a bearer token of the users file
	ViaOIDC     Via = "oidc"     // the OpenID provider
	ViaSocket   Via = "socket"   // he could open the socket, and the system says who he is
	ViaLink     Via = "link"     // a one-time link that such a one was given
	ViaLoopback Via = "loopback" // he is on this machine, and proved nothing else
)

// User is who asks.
type User struct {
	Name string `json:"name"`
	Role Role   `json:"role"`
	Via  Via    `json:"via"`
}

// asker is a User with where he asks from, what he was given, and who notes it.
type asker struct {
	User
	from    string
	session *session // nil where each request proves itself
	token   key      // the hash of the token by which it does
	log     *slog.Logger
}

type contextKey int

const (
	askerKey contextKey = iota
	peerKey
)

// From is the user who asks, where a Gate let him in.
func From(ctx context.Context) (User, bool) {
	a, ok := ctx.Value(askerKey).(asker)
	return a.User, ok
}

// Token is what forms have to send back as the field FormToken, or scripts as
// the header HeaderToken, to prove that they are the console's own. It is empty
// for those who have no session: they need none.
func Token(ctx context.Context) string {
	if a, _ := ctx.Value(askerKey).(asker); a.session != nil {
		return a.session.token
	}
	return ""
}

// Require lets those pass who may do what the role may; 403 for others, and 401
// where there is no Gate before it.
func Require(role Role, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		user, ok := From(r.Context())
		switch {
		case !ok:
			refuse(w, r, http.StatusUnauthorized, "log in first")
		case !user.Role.May(role):
			Audit(r.Context(), r.Method+" "+r.URL.Path, Refused, slog.String("why", "needs the role "+role.String()))
			refuse(w, r, http.StatusForbidden, needs(role, user))
		default:
			next.ServeHTTP(w, r)
		}
	})
}

func needs(role Role, u User) string {
	text := "this needs the role " + role.String() + ", and you are " + u.Role.String()
	if u.Via == ViaLoopback {
		text += ": run `usher console` on this machine, which prints a link that makes you one"
	}
	return text
}
