package httpd

import (
	"strings"
)

// setter gives a pool, or one of its nodes, the value of a parameter, and says what
// became of it. The node is that of the member, -1 where the parameter is the
// balancer's.
type setter func(p *pool, node int, value string) (Verdict, string)

// set takes the parameters of a balancer: in <Proxy>, ProxySet and ProxyPass.
func (p *pool) set(d *directive, words []string) {
	for _, w := range words {
		p.apply(d, w, -1, balancerParameters, memberParameters)
	}
}

// setNode takes those of a member, or of a ProxyPass without a balancer.
func (p *pool) setNode(d *directive, words []string, node int) {
	for _, w := range words {
		if key, _, _ := strings.Cut(w, "="); strings.EqualFold(key, "route") && !d.is("proxypass", "proxypassmatch", "proxyset") {
			continue // it has named the node
		}
		p.apply(d, w, node, memberParameters, balancerParameters)
	}
}

// apply finds what a parameter means. One of the other kind, which httpd would
// refuse, is taken as it is meant.
func (p *pool) apply(d *directive, word string, node int, tables ...map[string]setter) {
	key, value, ok := strings.Cut(word, "=")
	key, value = strings.ToLower(key), unquote(value)
	what := word
	if secretive(key) {
		what = key
	}
	if !ok {
		d.sayOf(what, NotCarried, "it has no value")
		return
	}
	for _, table := range tables {
		if set := table[key]; set != nil {
			verdict, note := set(p, node, value)
			d.sayOf(what, verdict, note)
			p.origins = append(p.origins, origin{d, key, what, node})
			return
		}
	}
	d.sayOf(what, NotCarried, "httpd has no such parameter")
}

// memberParameters are those of BalancerMember, and of ProxyPass without a balancer
// (set_worker_param in mod_proxy.c).
var memberParameters = map[string]setter{
	"loadfactor":        setWeight,
	"route":             setRoute,
	"redirect":          setRedirect,
	"status":            setStatus,
	"lbset":             setRank,
	"retry":             setRetry,
	"timeout":           setTimeout,
	"connectiontimeout": setConnectTimeout,
	"ping":              says(Approximated, "a connection is tried twice a second (health) rather than before each request"),
	"min":               says(NotNeeded, "Envoy opens connections when requests come"),
	"smax":              says(NotNeeded, "idle_timeout closes what nobody needs"),
	"max":               setMaxConnections,
	"acquire":           says(NotCarried, "usher bounds how many requests wait, not how long: max_pending of the pool"),
	"ttl":               setIdleTimeout,
	"disablereuse":      setReuse("on"),
	"enablereuse":       setReuse("off"),
	"addressttl":        says(NotNeeded, "names are resolved again every few seconds"),
	"keepalive":         says(NotNeeded, "a check twice a second finds nodes that are gone (health)"),
	"iobuffersize":      says(NotNeeded, "Envoy chooses its buffers"),
	"receivebuffersize": says(NotNeeded, "Envoy chooses its buffers"),
	"responsefieldsize": says(NotNeeded, "Envoy takes answers with 60 KiB of headers"),
	"flushpackets":      says(NotNeeded, "Envoy passes on what comes at once"),
	"flushwait":         says(NotNeeded, "Envoy passes on what comes at once"),
	"flusher":           says(NotNeeded, "it is for fdpass"),
	"upgrade":           setUpgrade,
	"mapping":           setMapping,
	"secret":            says(NotCarried, "it is AJP's; over HTTP, tls: {certificate: NAME} tells nodes who asks"),
	"multipathtcp":      says(NotCarried, "Envoy speaks plain TCP to nodes"),
	"hcmethod":          setCheck("hcmethod", func(c *check) *string { return &c.method }),
	"hcinterval":        setCheck("hcinterval", func(c *check) *string { return &c.interval }),
	"hcpasses":          setCheck("hcpasses", func(c *check) *string { return &c.passes }),
	"hcfails":           setCheck("hcfails", func(c *check) *string { return &c.fails }),
	"hcuri":             setCheck("hcuri", func(c *check) *string { return &c.uri }),
	"hcexpr":            setCheck("hcexpr", func(c *check) *string { return &c.expr }),
	"hctemplate":        setCheck("hctemplate", func(c *check) *string { return &c.template }),
}

// balancerParameters are those of ProxySet and ProxyPass with a balancer
// (set_balancer_param in mod_proxy.c).
var balancerParameters = map[string]setter{
	"lbmethod":         setBalance,
	"stickysession":    setSession,
	"stickysessionsep": setSeparator,
	"scolonpathdelim":  says(Carried, ""), // a path parameter ends at ; always
	"nofailover":       setNoFailover,
	"maxattempts":      setAttempts,
	"timeout":          says(NotCarried, "a request that finds no node gets 503 at once; until then it is tried up to six times (attempts)"),
	"failonstatus":     setFailOnStatus,
	"failontimeout":    setFailOnTimeout,
	"forcerecovery":    setForceRecovery,
	"growth":           says(NotNeeded, "a node is added by adding it to the file"),
	"nonce":            says(NotNeeded, "usher's console has no forms that need one"),
}

func says(v Verdict, note string) setter {
	return func(*pool, int, string) (Verdict, string) { return v, note }
}
