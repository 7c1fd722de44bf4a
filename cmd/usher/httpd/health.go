package httpd

import (
	"slices"
	"strings"
	"time"

	"usher/model"
)

// check is what the hc parameters say (mod_proxy_hcheck). The first member's counts
// for all.
type check struct {
	method, interval, passes, fails, uri, expr, template string
}

// setCheck is for one of them.
func setCheck(key string, field func(*check) *string) setter {
	return func(p *pool, _ int, value string) (Verdict, string) {
		return p.settle(key, value, func() { *field(&p.check) = value })
	}
}

// hours is a span of the time package.
const hours = time.Hour

// checks finds what hcexpr and hctemplate name.
func (t *translation) checks() {
	for _, s := range append([]*server{t.main}, t.hosts...) {
		for _, d := range s.those("proxyhcexpr") {
			t.expressions[strings.ToLower(d.arg(0))] = d
		}
		for _, d := range s.those("proxyhctemplate") {
			t.templates[strings.ToLower(d.arg(0))] = d
		}
	}
}

// checked settles how the nodes of a pool are checked.
func (t *translation) checked(p *pool) {
	c := p.check
	if c.template != "" {
		c = t.template(p, c)
	}
	if c == (check{}) {
		return
	}
	switch method := strings.ToUpper(strings.TrimSuffix(strings.ToUpper(c.method), "11")); method {
	case "", "NONE":
		for _, key := range []string{"hcinterval", "hcpasses", "hcfails", "hcuri", "hcexpr"} {
			p.amend(key, -1, NotNeeded, "without hcmethod httpd checks nothing; usher connects to each node twice a second")
		}
		return
	case "TCP", "CPING":
	case "GET", "HEAD", "OPTIONS":
		t.asks(p, c, model.Method(method))
	default:
		p.amend("hcmethod", -1, NotCarried, "it is not known; usher connects to each node twice a second")
		return
	}
	p.Health.Interval = t.interval(p, c)
	if n, ok := countOf(c.passes, 100); ok && n > 1 {
		p.Health.Passes = n
	}
	if n, ok := countOf(c.fails, 100); ok && n >= 1 {
		p.Health.Fails = n
	}
}

// template puts what a ProxyHCTemplate says under what the members say.
func (t *translation) template(p *pool, c check) check {
	d := t.templates[strings.ToLower(c.template)]
	if d == nil {
		p.amend("hctemplate", -1, NotCarried, "no ProxyHCTemplate has that name")
		return c
	}
	from := &pool{said: map[string]string{}}
	for _, w := range d.args[1:] {
		from.apply(d, w, -1, memberParameters)
	}
	d.say(Carried, "")
	below := from.check
	for _, f := range []struct{ own, template *string }{
		{&c.method, &below.method}, {&c.interval, &below.interval}, {&c.passes, &below.passes},
		{&c.fails, &below.fails}, {&c.uri, &below.uri}, {&c.expr, &below.expr},
	} {
		if *f.own == "" {
			*f.own = *f.template
		}
	}
	return c
}

// asks settles a check by HTTP. httpd takes 2xx and 3xx for good where no
// expression says otherwise.
func (t *translation) asks(p *pool, c check, method model.Method) {
	path, _, query := strings.Cut(p.path+c.uri, "?")
	if !strings.HasPrefix(path, "/") {
		path = "/" + path
	}
	if !isPlain(path) {
		p.amend("hcuri", -1, NotCarried, "usher asks plain paths, without escapes")
		return
	}
	if query {
		p.amend("hcuri", -1, Approximated, "asked without the query")
	}
	p.Health.Path = path
	if method != model.GET {
		p.Health.Method = method
	}
	p.Health.Status = []model.StatusRange{{From: 200, To: 399}}
	if c.expr != "" {
		t.expect(p, c.expr)
	}
}

// expect takes what a ProxyHCExpr says of a good answer.
func (t *translation) expect(p *pool, name string) {
	d := t.expressions[strings.ToLower(name)]
	if d == nil {
		p.amend("hcexpr", -1, NotCarried, "no ProxyHCExpr has that name")
		return
	}
	good, ok := expectationOf(d.arg(1))
	if !ok {
		d.say(NotCarried, "usher compares the status, and looks for a text in the body: write status and body of the pool's health")
		p.amend("hcexpr", -1, NotCarried, "write status and body of the pool's health by hand")
		return
	}
	d.say(Carried, "")
	if len(good.statuses) > 0 {
		p.Health.Status = good.statuses
	}
	if slices.Equal(p.Health.Status, []model.StatusRange{{From: 200, To: 200}}) {
		p.Health.Status = nil // usher's default
	}
	if p.Health.Body = good.body; good.body != "" && p.Health.Method == model.HEAD {
		p.Health.Method = ""
		p.amend("hcmethod", -1, Approximated, "asked by GET: an answer to HEAD has no body")
	}
}

// interval is the time between two checks: httpd's default is 30s, which is left
// to usher where only a connection is tried.
func (t *translation) interval(p *pool, c check) model.Duration {
	d, ok := spanOf(c.interval)
	if !ok && p.Health.Path == "" {
		return 0
	}
	if !ok {
		d = 30 * time.Second
	}
	span, _, _ := bounded(d, 100*time.Millisecond, time.Hour)
	return span
}
