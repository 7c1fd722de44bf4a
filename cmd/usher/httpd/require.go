package httpd

import (
	"strings"
)

// Rules of mod_authz_core and of mod_access_compat.

const byName = "usher knows clients by their addresses: write those of the hosts that are meant into allow"

// anyOf lets in whom one of the rules does. What a certificate is asked for beside,
// such as an address, stays with it.
func anyOf(rules []*directive, tls bool) (all access) {
	var certificates []*directive
	var certified netset
	for _, d := range rules {
		a, known, not := rule(d, tls)
		switch {
		case not:
			d.say(NotNeeded, "it has no effect outside of RequireAll")
		case !known:
		case a.certificate:
			certificates = append(certificates, d)
			certified = certified.or(a.from)
		default:
			all.from = all.from.or(a.from)
		}
	}
	if len(certificates) == 0 {
		return all
	}
	if len(all.from) > 0 {
		const note = "a path lets in by addresses, by a certificate, or by both, not by either; the addresses were taken"
		certificates[0].amend(certificates[0].brief(), NotCarried, note)
		certificates[0].say(NotCarried, note)
		return all
	}
	certificates[0].say(Carried, "")
	return access{certified, true}
}

// allOf lets in whom all of the rules do.
func allOf(rules []*directive, tls bool) access {
	all := access{from: everybody()}
	for _, d := range rules {
		a, known, not := rule(d, tls)
		switch {
		case !known && !not:
			all.from = nil
		case !known:
		case not:
			all.from = all.from.without(a.from)
			if len(all.from) > maxNetworks {
				d.say(NotCarried, "the addresses that are left are too many networks: refuse these in front of usher")
				all.from = all.from.or(a.from)
			}
		default:
			all.from = all.from.and(a.from)
			all.certificate = all.certificate || a.certificate
			if !d.said() {
				d.say(Carried, "")
			}
		}
	}
	return all
}

// rule is a Require, or a section of them. It is not known where it is about
// anything but addresses and certificates.
func rule(d *directive, tls bool) (a access, known, not bool) {
	inner := d.those("require", "requireall", "requireany", "requirenone")
	switch d.lower {
	case "requireall":
		d.say(Carried, "")
		return allOf(inner, tls), true, false
	case "requireany":
		d.say(Carried, "")
		return anyOf(inner, tls), true, false
	case "requirenone":
		d.say(Carried, "")
		return anyOf(inner, tls), true, true
	}
	words := d.args
	if len(words) > 0 && strings.EqualFold(words[0], "not") {
		words, not = words[1:], true
	}
	a, known = required(d, words, tls)
	return a, known, not
}

// required is what Require WORD … lets in.
func required(d *directive, words []string, tls bool) (a access, known bool) {
	switch strings.ToLower(word(words, 0)) {
	case "all":
		d.say(Carried, "")
		if strings.EqualFold(word(words, 1), "granted") {
			a.from = everybody()
		}
		return a, true
	case "ip":
		return access{from: networks(d, words[1:])}, true
	case "local":
		d.say(Carried, "")
		return access{from: local()}, true
	case "ssl":
		d.say(Carried, "")
		if tls {
			a.from = everybody()
		}
		return a, true
	case "ssl-verify-client":
		if tls {
			return access{everybody(), true}, true
		}
		d.say(Carried, "")
		return a, true
	case "host", "forward-dns":
		d.say(NotCarried, byName)
		return a, false
	case "valid-user", "user", "group", "ldap-user", "ldap-group", "ldap-dn", "ldap-attribute", "ldap-filter", "dbm-group", "dbd-group", "file-owner":
		d.say(NotCarried, "usher asks nobody for a password; the path is closed to whom no other rule lets in: name addresses in allow, ask for a client_certificate, or let the nodes ask")
		return a, false
	}
	d.say(NotCarried, "usher knows addresses and client certificates; the path is closed to whom no other rule lets in")
	return a, false
}

// networks reads a list of addresses.
func networks(d *directive, words []string) (all netset) {
	for _, w := range words {
		set, ok := networksOf(w)
		if !ok {
			d.sayOf(d.name+" "+w, NotCarried, byName)
			continue
		}
		all = all.or(set)
	}
	if !d.said() {
		d.say(Carried, "")
	}
	return all
}

// ordering is what Order, Allow and Deny let in (check_dir_access): of allow,deny
// whom Allow names and Deny does not; of deny,allow whom Deny does not name, or
// Allow does.
func ordering(rules []*directive) access {
	var allowed, denied netset
	allowFirst := false
	for _, d := range rules {
		switch {
		case d.is("order"):
			d.say(Carried, "")
			allowFirst = strings.HasPrefix(strings.ToLower(strings.ReplaceAll(d.text, " ", "")), "allow") || strings.EqualFold(d.arg(0), "mutual-failure")
		case d.is("allow"):
			allowed = allowed.or(from(d))
		default:
			denied = denied.or(from(d))
		}
	}
	if allowFirst {
		return access{from: few(allowed, denied, rules)}
	}
	return access{from: few(everybody(), denied, rules).or(allowed)}
}

// few are those of a set that another one does not name, if they can be named.
func few(of, without netset, rules []*directive) netset {
	rest := of.without(without)
	if len(rest) <= maxNetworks {
		return rest
	}
	for _, d := range rules {
		if d.is("deny") {
			d.say(NotCarried, "the addresses that are left are too many networks: refuse these in front of usher")
		}
	}
	return of
}

// from reads the addresses of Allow from and Deny from. Whom Allow names otherwise
// is not let in; whom Deny names otherwise, somebody else has to refuse.
func from(d *directive) (all netset) {
	for i, w := range d.args {
		switch set, ok := networksOf(w); {
		case i == 0 && strings.EqualFold(w, "from"):
		case strings.EqualFold(w, "all"):
			all = everybody()
		case ok:
			all = all.or(set)
		case d.is("deny"):
			d.sayOf(d.name+" from "+w, NotCarried, "usher refuses clients by their addresses: refuse these in front of it, or in the nodes")
		default:
			d.sayOf(d.name+" from "+w, NotCarried, byName)
		}
	}
	if !d.said() {
		d.say(Carried, "")
	}
	return all
}
