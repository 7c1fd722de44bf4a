package httpd

import (
	"slices"
	"strings"
)

// managed is a certificate that mod_md obtains.
type managed struct {
	*directive
	names       []string
	automatic   bool // the names of its servers are added
	require     *directive
	certificate *certificate
	settings    []*directive // what goes before the settings of the main server
}

// domains reads MDomain, as a line and as a section.
func (t *translation) domains() {
	for _, d := range t.root.those("mdomain", "mdomainset") {
		m := &managed{directive: d, automatic: true, settings: d.body}
		if auto := t.root.last("mdmembers", "mdmember"); auto != nil {
			m.automatic = !strings.EqualFold(auto.arg(0), "manual")
			auto.say(Carried, "")
		}
		m.members(d, d.args)
		for _, b := range d.those("mdmember", "mdmembers") {
			m.members(b, b.args)
		}
		m.require = t.setting(m, "mdrequirehttps")
		if r := m.require; r != nil && strings.EqualFold(r.arg(0), "off") {
			r.say(Carried, "")
			m.require = nil
		}
		t.managed = append(t.managed, m)
	}
}

// members adds names.
func (m *managed) members(d *directive, words []string) {
	for _, w := range words {
		name := strings.ToLower(w)
		switch {
		case name == "auto" || name == "manual":
			m.automatic = name == "auto"
		case strings.HasPrefix(name, "*"):
			d.sayOf(d.name+" "+w, NotCarried, "a name with * would have to be proven by dns-01, which usher does not offer: name each host")
		case isIP(name) || !isHost(name):
			d.sayOf(d.name+" "+w, NotCarried, "it is no host name")
		case !slices.Contains(m.names, strings.TrimSuffix(name, ".")):
			m.names = append(m.names, strings.TrimSuffix(name, "."))
		}
	}
	if !d.said() {
		d.say(Carried, "")
	}
}

// managedFor is the one with one of the names.
func (t *translation) managedFor(names []string) *managed {
	for _, m := range t.managed {
		if slices.ContainsFunc(names, func(n string) bool { return slices.Contains(m.names, n) }) {
			return m
		}
	}
	return nil
}

// managedHTTPS is the one that sends a listener's clients to HTTPS.
func (t *translation) managedHTTPS(l *listener) *managed {
	if m := t.managedFor(l.Hosts); m != nil && m.require != nil {
		m.require.say(Carried, "")
		return m
	}
	return nil
}

// setting is what a section says, or the main server.
func (t *translation) setting(m *managed, key string) *directive {
	if m.section {
		if d := m.last(key); d != nil {
			return d
		}
	}
	return t.root.last(key)
}
