//go:build httpd

package httpd

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
)

// madeUp is a site whose rules of access are random, in the words that sites in the
// wild have, and in orders that they do not.
type madeUp struct {
	name       string
	main, host []string // lines of the main server, and of the VirtualHost
}

// conf is what stands for the site in a file. Several may share the main server's part.
func (s madeUp) conf() string {
	return strings.Join(s.main, "\n") + "\n" + s.vhost()
}

func (s madeUp) vhost() string {
	return fmt.Sprintf("<VirtualHost 127.0.0.1:$PORT>\nServerName %s\n%s\n</VirtualHost>\n", s.name, strings.Join(s.host, "\n"))
}

// maker makes sites up.
type maker struct{ *rand.Rand }

func (m maker) often(percent int) bool { return m.IntN(100) < percent }

func (m maker) pick(words ...string) string { return words[m.IntN(len(words))] }

func (m maker) network() string {
	return m.pick("10.0.0.0/8", "10.1", "192.168.1.7", "10.1.2.3", "8.8.8.8", "10.0.0.0/255.255.0.0", "2001:db8::/32")
}

// require is a rule of mod_authz_core, or a section of them.
func (m maker) require(depth int) []string {
	switch n := m.IntN(100); {
	case n < 35:
		return []string{"Require ip " + m.network()}
	case n < 45:
		return []string{"Require all granted"}
	case n < 55:
		return []string{"Require all denied"}
	case n < 60:
		return []string{"Require local"}
	case n < 65 && depth > 0:
		return []string{m.pick("Require env insider", "Require method POST")} // which nobody is
	case depth >= 2:
		return []string{"Require ip " + m.network()}
	case m.often(50):
		return wrap("RequireAny", m.several(3, func() []string { return m.require(depth + 1) }))
	}
	all := m.several(3, func() []string { return m.require(depth + 1) })
	if m.often(40) {
		all = append([]string{"Require all granted", "Require not ip " + m.network()}, all...)
	}
	if m.often(20) {
		all = append(wrap("RequireNone", []string{"Require ip " + m.network()}), append(all, "Require all granted")...)
	}
	return wrap("RequireAll", all)
}

// several are one to most of something.
func (m maker) several(most int, one func() []string) (lines []string) {
	for range 1 + m.IntN(most) {
		lines = append(lines, one()...)
	}
	return lines
}

func wrap(section string, lines []string) []string {
	name, _, _ := strings.Cut(section, " ")
	return slices.Concat([]string{"<" + section + ">"}, lines, []string{"</" + name + ">"})
}

// old are rules of mod_access_compat.
func (m maker) old() (lines []string) {
	if m.often(80) {
		lines = append(lines, "Order "+m.pick("allow,deny", "deny,allow", "allow,deny", "deny,allow", "mutual-failure"))
	}
	lines = append(lines, m.several(3, func() []string {
		return []string{m.pick("Allow from ", "Deny from ") + m.pick(m.network(), m.network(), m.network()+" "+m.network(), "all")}
	})...)
	if m.often(30) {
		lines = append(lines, "Satisfy "+m.pick("any", "all"))
	}
	return lines
}

// rules are those of a section.
func (m maker) rules() (lines []string) {
	one := func() []string { return m.require(0) }
	if m.often(60) {
		lines = m.several(2, one)
		if m.often(15) {
			lines = append(lines, "AuthMerging "+m.pick("And", "Or", "Off"))
		}
	}
	if m.often(35) {
		lines = append(lines, m.old()...)
	}
	if m.often(12) {
		lines = append(append(lines, "RewriteEngine "+m.pick("on", "on", "on", "off")), m.forbids(".*")...)
	}
	if m.often(12) {
		lines = append(lines, wrap("Limit "+m.pick("GET", "POST", "GET POST"), one())...)
	}
	if m.often(8) {
		lines = append(lines, wrap("If "+m.pick(`"-R '10.0.0.0/8'"`, `"! -R '10.0.0.0/8'"`, `"%{REQUEST_URI} =~ m#^/a#"`), one())...)
	}
	return lines
}

// forbids is a RewriteRule that refuses, with its conditions.
func (m maker) forbids(pattern string) (lines []string) {
	n := m.IntN(3)
	for i := range n {
		or := m.pick("", "", " [OR]")
		if i == n-1 {
			or = ""
		}
		lines = append(lines, "RewriteCond "+m.pick("%{REMOTE_ADDR} !^10\\.", "%{REMOTE_ADDR} !^10\\.1\\.", "%{REMOTE_ADDR} ^10\\.", "%{REMOTE_ADDR} !=8.8.8.8", `%{REMOTE_ADDR} !^(10\.|192\.168\.1\.7$)`, "%{REQUEST_URI} !^/pub", "%{REQUEST_URI} ^/a")+or)
	}
	return append(lines, "RewriteRule "+pattern+" - "+m.pick("[F]", "[F]", "[F,L]", "[R=403,L]", "[NC,F]", "[G]"))
}

// section is one of a server.
func (m maker) section() []string {
	switch n := m.IntN(100); {
	case n < 55:
		return wrap("Location "+m.pick("/", "/a", `~ "^/[ab]/"`, "/a/", "/a/b", "/b", "/c", "/pub", "/a/*", "/?/a"), m.rules())
	case n < 85:
		return wrap("LocationMatch "+m.pick(`"^/a"`, `"^/a/b"`, `"/b"`, `"^/(a|c)"`, `"^/a/[^/]+$"`, `"^/(?!pub)"`, `"(?i)^/a/"`, `"^/(?:a|b)(/|$)"`, `"^/$"`, `"\.do$|/x"`), m.rules())
	}
	return wrap(m.pick("Proxy *", "Proxy balancer://is", "Proxy balancer://is/a", "Proxy balancer://two", `ProxyMatch "^balancer://is/.*b"`), m.rules())
}

// test is an <If> of a server.
func (m maker) test() []string {
	return wrap("If "+m.pick(`"! -R '10.0.0.0/8'"`, `"%{REQUEST_URI} =~ m#^/a#"`, `"%{REQUEST_URI} =~ m#^/a# && ! -R '10.0.0.0/8'"`, `"%{REQUEST_URI} !~ m#^/pub#"`), m.require(0))
}

// site is one whose pools' members are at an address.
func (m maker) site(name string, main []string, member string) madeUp {
	s := madeUp{name: name, main: main}
	for _, pool := range []string{"is", "two"} {
		s.host = append(s.host, wrap("Proxy balancer://"+pool, []string{"BalancerMember http://" + member + " route=n1"})...)
	}
	for _, maybe := range []struct {
		percent int
		line    string
	}{
		{20, "ProxyPass /b !"}, {30, `ProxyPassMatch "^/a/(b.*)$" balancer://two/a/$1`}, {30, "ProxyPass /c balancer://two/"}, {30, "ProxyPass /a balancer://two/a"}, {10, "ProxyPass /a/ balancer://two/a/"}, {100, "ProxyPass / balancer://is/"},
	} {
		if m.often(maybe.percent) {
			s.host = append(s.host, maybe.line)
		}
	}
	var parts [][]string
	most := 1 // of many sites little has to be approximated
	if m.often(60) {
		most = 5
	}
	for range 1 + m.IntN(most) {
		parts = append(parts, m.section())
	}
	if m.often(35) {
		parts = append(parts, append([]string{"RewriteEngine on"}, m.several(2, func() []string {
			return m.forbids(m.pick("^/a", "^/a/b$", "!^/pub", "^/(?!pub)", "^/b", ".*", "^/a/", "/b"))
		})...))
	}
	if m.often(15) {
		parts = append(parts, m.test())
	}
	m.Shuffle(len(parts), func(i, j int) { parts[i], parts[j] = parts[j], parts[i] })
	s.host = append(s.host, slices.Concat(parts...)...)
	return s
}
