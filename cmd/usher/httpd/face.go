package httpd

import (
	"time"

	"usher/model"
)

// face settles how a pool's nodes are spoken to, by what the server says that sends
// requests there. What another server says otherwise has no place.
func (t *translation) face(p *pool, s *server, in *directive) {
	t.preserved(p, s, in)
	t.patience(p, s)
	t.encryption(p, s)
}

// innermost is what a Location says, or the section of the pool, or the server.
func (t *translation) innermost(p *pool, s *server, in *directive, key string) *directive {
	for _, d := range []*directive{in, t.sectionOf(p)} {
		if d != nil {
			if last := d.last(key); last != nil {
				return last
			}
		}
	}
	return s.lastOf(key)
}

// sectionOf is the <Proxy> that a pool comes from.
func (t *translation) sectionOf(p *pool) *directive {
	if p != nil && p.from.is("proxy") {
		return p.from
	}
	return nil
}

// preserved takes ProxyPreserveHost, which is off unless it is said.
func (t *translation) preserved(p *pool, s *server, in *directive) {
	d := t.innermost(p, s, in, "proxypreservehost")
	host := hostSaid(d)
	v, note := p.settle("host", host, func() {
		if host == model.HostNode {
			p.Host = host
			p.notes["host"] = "ProxyPreserveHost is off unless it is said"
		}
	})
	if d != nil {
		d.say(v, note)
		if host == model.HostNode && v == Carried {
			p.notes["host"] = d.String()
		}
	}
}

// hostSaid is the Host that nodes get by a ProxyPreserveHost, if there is one.
func hostSaid(d *directive) string {
	if d != nil && d.on() {
		return model.HostKeep
	}
	return model.HostNode
}

// patience takes ProxyTimeout, or TimeOut in its place. What a member says goes
// first.
func (t *translation) patience(p *pool, s *server) {
	const note = "it bounds the whole answer, not the time between two parts of it"
	for _, key := range []string{"proxytimeout", "timeout"} {
		d := s.lastOf(key)
		if d == nil {
			continue
		}
		span, ok := spanOf(d.arg(0))
		switch {
		case !ok:
			d.say(NotCarried, "it is no time")
		case p.said["timeout"] != "":
			d.say(Approximated, note)
		default:
			if p.Timeout, _, _ = bounded(span, time.Second, maxSpan); p.Timeout == model.DefaultTimeout {
				p.Timeout = 0
			}
			d.say(Approximated, note)
		}
		return
	}
}
