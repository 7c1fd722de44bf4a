package httpd

import (
	"cmp"
	"fmt"
	"strings"

	"usher/model"
)

// access is who may go somewhere: whose address is in the set and, where it is
// asked for, who has a verified certificate. Where httpd lets only some in, nobody
// else gets in here: what a rule says beside addresses is left out of the set.
type access struct {
	from        netset
	certificate bool
}

// gates are the rules of a path. Those of mod_authz_core and of mod_access_compat
// are kept apart, as a section may replace the one and not the other.
type gates struct {
	authz, compat *access    // nil: everybody
	any           *directive // Satisfy any
	verify        bool       // SSLVerifyClient require
	never         bool       // nobody
	beside        *access    // what else has to let in, whatever the rules above say
}

// result is what all of them let in.
func (g gates) result() access {
	all := access{from: everybody(), certificate: g.verify}
	switch {
	case g.never:
		return access{}
	case g.authz != nil && g.compat != nil && g.any != nil:
		all.from = g.authz.from.or(g.compat.from)
	default:
		for _, a := range []*access{g.authz, g.compat} {
			if a != nil {
				all.from = all.from.and(a.from)
				all.certificate = all.certificate || a.certificate
			}
		}
	}
	if g.beside != nil {
		all.from = all.from.and(g.beside.from)
		all.certificate = all.certificate || g.beside.certificate
	}
	return all
}

// under are the gates with those of an expression that may be for the same requests,
// but for the kinds that a section has of its own.
func (g gates) under(e, own gates) gates {
	if own.authz == nil {
		g.authz = both(g.authz, e.authz)
	}
	if own.compat == nil {
		g.compat = both(g.compat, e.compat)
	}
	g.verify = g.verify || e.verify
	g.never = g.never || e.never
	g.beside = both(g.beside, e.beside)
	if e.any == nil {
		g.any = nil
	}
	return g
}

// both are what two rules let in; nil is everybody.
func both(a, b *access) *access {
	if a == nil || b == nil {
		return cmp.Or(a, b)
	}
	return &access{a.from.and(b.from), a.certificate || b.certificate}
}

func (g gates) equal(o gates) bool { return fmt.Sprint(g.result()) == fmt.Sprint(o.result()) }

// rules are those that a section has, as a change of a route.
func (t *translation) rules(d *directive, tls bool) func(*route) {
	required := d.those("require", "requireall", "requireany", "requirenone")
	ordered := d.those("order", "allow", "deny")
	verify := d.last("sslverifyclient")
	never := t.neverHere(d, tls)
	if len(required)+len(ordered) == 0 && verify == nil && !never {
		return nil
	}
	var authz, compat access
	if len(required) > 0 {
		authz = anyOf(required, tls)
	}
	if len(ordered) > 0 {
		compat = ordering(ordered)
	}
	satisfy := d.last("satisfy")
	if satisfy != nil {
		satisfy.say(Carried, "")
	}
	merge := d.last("authmerging")
	t.verifyHere(verify)
	return func(r *route) {
		if len(required) > 0 {
			r.gates.authz = merged(r.gates.authz, &authz, merge)
		}
		if len(ordered) > 0 {
			r.gates.compat = &compat
		}
		if satisfy != nil || len(ordered) > 0 { // mod_access_compat merges nothing: the inner section takes the place
			r.gates.any = nil
			if satisfy != nil && strings.EqualFold(satisfy.arg(0), "any") {
				r.gates.any = satisfy
			}
		}
		if verify != nil {
			r.gates.verify = tls && strings.EqualFold(verify.arg(0), "require")
		}
		r.gates.never = r.gates.never || never
	}
}

// neverHere tells whether a section lets nobody in by the rules of mod_ssl: without
// TLS, or by an expression on the client's certificate, which is not understood.
func (t *translation) neverHere(d *directive, tls bool) bool {
	secure, expression := d.last("sslrequiressl"), d.last("sslrequire")
	if secure != nil {
		secure.say(Carried, "")
	}
	if expression != nil {
		expression.say(NotCarried, "usher does not read certificates: the path is closed until you write client_certificate: require, or let the nodes decide")
	}
	return secure != nil && !tls || expression != nil
}

// merged is what a section lets in where it says how it goes with the one around
// it. By default it takes its place.
func merged(outer, own *access, how *directive) *access {
	if how == nil || outer == nil {
		return own
	}
	switch strings.ToLower(how.arg(0)) {
	case "and":
		how.say(Carried, "")
		return both(outer, own)
	case "or":
		how.say(Approximated, "the inner rule alone counts")
	}
	return own
}

// verifyHere says what became of an SSLVerifyClient in a section.
func (t *translation) verifyHere(d *directive) {
	if d == nil {
		return
	}
	switch strings.ToLower(d.arg(0)) {
	case "require":
		d.say(Carried, "the listener requests a certificate, and the path requires it")
	case "optional":
		d.say(Carried, "the listener requests a certificate")
	case "optional_no_ca":
		d.say(Approximated, "the listener requests a certificate; one that does not verify ends the handshake")
	default:
		d.say(NotNeeded, "no path asks for a certificate unless it says so")
	}
}

// close puts the result of the gates into a route.
func (r *route) close() {
	a := r.gates.result()
	if r.to == nil && r.Respond == nil || r.Redirect != nil {
		return // mod_alias answers before anybody is asked who he is
	}
	if g := r.gates; g.any != nil && g.authz == nil && g.compat != nil && !g.compat.from.all() {
		g.any.amend(g.any.brief(), Approximated, "no Require stands beside it, and httpd lets everybody in then: Order, Allow and Deny count")
	}
	if a.certificate {
		r.ClientCertificate = model.ClientRequire
	}
	switch {
	case a.from.all():
	case len(a.from) == 0:
		r.Route = model.Route{Path: r.Path, Exact: r.Exact, Regex: r.Regex, Deny: true}
		r.to = nil
		r.comment = "closed to everybody"
		if r.verdict == Carried {
			r.from.amend(r.from.brief(), Approximated, "closed to everybody, with 404 where httpd says 403")
		}
	default:
		if refused := everybody().without(a.from); len(refused) < len(a.from) {
			r.comment = "all but " + strings.Join(refused.texts(), ", ")
		}
		for _, p := range a.from {
			r.Allow = append(r.Allow, model.Network{Prefix: p})
		}
	}
}

// unseen keeps out proxies whose clients are not known, of a path that is for few.
func (r *route) unseen(proxies netset) {
	from := r.gates.result().from
	if len(proxies) == 0 || len(everybody().without(from)) < len(from) {
		return
	}
	if rest := from.without(proxies); len(rest) <= maxNetworks {
		r.gates.beside = both(r.gates.beside, &access{from: rest})
	}
}
