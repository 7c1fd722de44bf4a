package httpd

// workers puts parameters of servers without a balancer where they belong: those
// of <Proxy http://…> and ProxySet http://…
func (t *translation) workers() {
	for _, s := range append([]*server{t.main}, t.hosts...) {
		for _, d := range s.those("proxy", "proxyset") {
			u := targetOf(d.arg(0))
			if u.foreign() != "" || u.scheme == "balancer" {
				continue
			}
			t.worker(d, u)
		}
	}
}

func (t *translation) worker(d *directive, u target) {
	for _, p := range t.pools {
		if p.owner != nil || !p.has(u.address()) {
			continue
		}
		d.say(Carried, "")
		p.setNode(d, d.args[1:], 0)
		for _, set := range d.those("proxyset") {
			set.say(Carried, "")
			p.setNode(set, set.args, 0)
		}
		return
	}
	if !d.said() {
		d.say(NotNeeded, "nothing is sent there")
	}
}
