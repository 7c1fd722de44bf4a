package httpd

import (
	"fmt"
	"regexp"
	"strings"

	"usher/model"
)

// session is what stickysession says, and the directive that says it.
type session struct {
	cookie, path, separator string
}

func setSession(p *pool, _ int, value string) (Verdict, string) {
	cookie, path, two := strings.Cut(value, "|")
	if value == "-" || value == "" {
		return NotNeeded, "nothing is sticky"
	}
	if !isToken(cookie) || two && !isToken(path) {
		return NotCarried, "usher takes names of cookies and path parameters that RFC 6265 allows"
	}
	return p.settle("sticky", value, func() { p.session.cookie, p.session.path = cookie, path })
}

func setSeparator(p *pool, _ int, value string) (Verdict, string) {
	if strings.EqualFold(value, "off") {
		p.session.separator = model.NoText
		return Carried, ""
	}
	if value == "" || len(value) > 8 || strings.ContainsAny(value, ";,= \t\"") {
		return NotCarried, "it separates nothing in a cookie; a dot does"
	}
	p.session.separator = value
	return Carried, ""
}

// recipe is a cookie of the balancer's own that names the node, which httpd's
// manual makes by Header add Set-Cookie "ROUTEID=.%{BALANCER_WORKER_ROUTE}e".
type recipe struct {
	*directive
	cookie model.RouteCookie
	server *server // nil where it stands in the section of the pool
	used   bool
}

var recipePattern = regexp.MustCompile(`^([^=;\s]+)=([^;]*)%\{BALANCER_WORKER_ROUTE\}e([^;]*)(;.*)?$`)

// recipeOf reads one, if the header is one.
func recipeOf(d *directive, value string) (model.RouteCookie, bool) {
	m := recipePattern.FindStringSubmatch(value)
	if m == nil || !isToken(m[1]) {
		return model.RouteCookie{}, false
	}
	c := model.RouteCookie{Name: m[1]}
	verdict, note := Carried, ""
	for attribute := range strings.SplitSeq(m[4], ";") {
		key, v, _ := strings.Cut(strings.TrimSpace(attribute), "=")
		if n := cookieAttribute(&c, strings.ToLower(strings.TrimSpace(key)), strings.TrimSpace(v)); n != "" {
			verdict, note = Approximated, n
		}
	}
	d.say(verdict, note)
	return c, true
}

// cookieAttribute takes one of Set-Cookie's, and says what usher does otherwise.
func cookieAttribute(c *model.RouteCookie, key, value string) string {
	switch key {
	case "path":
		if value != "/" {
			return "the cookie is for all paths"
		}
	case "domain":
		if isHost(strings.ToLower(strings.TrimPrefix(value, "."))) {
			c.Domain = value
			return ""
		}
		return "the cookie is for the host alone"
	case "samesite":
		switch s := model.SameSite(strings.ToLower(value)); s {
		case model.SameSiteNone, model.SameSiteStrict:
			c.SameSite = s
		case model.SameSiteLax: // usher's default
		}
	case "max-age":
		d, ok := spanOf(value)
		if !ok || d > 3650*24*hours {
			return "the cookie lives until the browser closes"
		}
		c.TTL = model.Duration(d)
	case "expires":
		return "the cookie lives until the browser closes: write ttl"
	}
	return ""
}

// stick settles what keeps sessions in a pool.
func (t *translation) stick(p *pool) {
	s := p.session
	own, others := t.recipesOf(p)
	if s.cookie == "" {
		for _, r := range others {
			p.Sticky = append(p.Sticky, model.Sticky{RouteCookie: &r.cookie})
			r.sayOf(r.brief(), Approximated, fmt.Sprintf("pool %s follows the cookie; in httpd no stickysession does", p.Name))
			return
		}
		p.withoutSession()
		return
	}
	way := model.Sticky{JVMRoute: s.cookie, Separator: s.separator}
	if s.path != "" && s.path != defaultPath(s.cookie) {
		way.PathParameter = s.path
	}
	switch {
	case own != nil:
		p.Sticky = append(p.Sticky, byRoute(s, own)...)
	case len(others) > 0:
		p.Sticky = []model.Sticky{way, {RouteCookie: &others[0].cookie}}
		p.notes["sticky"] = "the first that names a node decides"
	default:
		p.Sticky = []model.Sticky{way}
	}
}

// byRoute are the ways of a pool that follows the balancer's own cookie. What a
// path says of the session goes first, as in httpd.
func byRoute(s session, r *recipe) (ways []model.Sticky) {
	if s.path != "" && s.path != s.cookie {
		ways = append(ways, model.Sticky{PathParameter: s.path, Separator: s.separator})
	}
	if s.separator != "" && s.separator != model.DefaultSeparator {
		r.sayOf(r.brief(), Approximated, "usher's cookie has a dot in front of the node's name")
	}
	return append(ways, model.Sticky{RouteCookie: &r.cookie})
}

// defaultPath is the path parameter that goes with a cookie in usher.
func defaultPath(cookie string) string {
	if cookie == "JSESSIONID" {
		return "jsessionid"
	}
	return cookie
}

// recipesOf are the cookies that answers of a pool get: the one that it follows,
// and others.
func (t *translation) recipesOf(p *pool) (own *recipe, others []*recipe) {
	for _, r := range t.recipes {
		if !r.isFor(p) {
			continue
		}
		r.used = true
		if r.cookie.Name == p.session.cookie {
			own = r
		} else {
			others = append(others, r)
		}
	}
	return own, others
}

// isFor tells whether answers of the pool get the cookie: those of the server's
// own, or of the main one's where the server inherits it.
func (r *recipe) isFor(p *pool) bool {
	for _, s := range p.users {
		if r.server == s || r.server == s.main {
			return true
		}
	}
	return r.server == nil && r.parent == p.from
}

// withoutSession takes away what only sessions have.
func (p *pool) withoutSession() {
	if p.OnFailure != "" {
		p.OnFailure = ""
	}
}
