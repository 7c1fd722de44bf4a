package model

// Health is the check of each node. With path and tcp both are asked, and a node
// has to pass both.
type Health struct {
	// Preset is `wso2`: the health API of WSO2 Identity Server, asked seldom, for
	// it is heavy, and a connection often, see `usher show --preset`. An API that
	// is switched off answers 200 as well; usher tells it from a healthy one and
	// says so in its status.
	Preset HealthPreset `yaml:"preset" scalar:"true"`
	// Path is asked, and has to answer as the keys below say.
	Path string `yaml:"path"`
	// Method is GET, HEAD or OPTIONS. Default: GET (httpd: hcmethod).
	Method Method `yaml:"method"`
	// Host is the Host header of the check. Default: the node's own.
	Host string `yaml:"host"`
	// Headers are sent with it, by name.
	Headers map[string]string `yaml:"headers"`
	// Status is what it must answer, such as 200 or [200-399, 404]. Default: 200
	// (httpd: ProxyHCExpr).
	Status []StatusRange `yaml:"status"`
	// Body is a text that must stand in the first 16 KiB of the answer. Default:
	// none (httpd: ProxyHCExpr with hc('body')).
	Body string `yaml:"body"`
	// TCP connects, through the TLS handshake where the pool has TLS. Default: true
	// where there is no path.
	TCP Switch `yaml:"tcp"`
	// Interval is the time between two checks, 100ms to 1h. Default: 500ms for
	// tcp, 5s for path (httpd: hcinterval).
	Interval Duration `yaml:"interval" range:"100ms..1h"`
	// TCPInterval is that of tcp where there is a path as well. Default: 500ms.
	TCPInterval Duration `yaml:"tcp_interval" range:"100ms..1h"`
	// Timeout is how long a check may take. Default: 750ms for tcp, for path
	// half the interval and at least 1s.
	Timeout Duration `yaml:"timeout" range:"10ms..1h"`
	// Passes is how many good checks in a row bring a node back, 1 to 100. Default:
	// 1 (httpd: hcpasses).
	Passes Count `yaml:"passes" range:"1..100"`
	// Fails is how many failed checks in a row take a node out, 1 to 100; a wrong
	// answer of path does so at once. Default: 2 (httpd: hcfails).
	Fails Count `yaml:"fails" range:"1..100"`
	// Passive is how many requests in a row must fail to connect until a node is
	// taken out without a check, 0 to 100; 0 never does. With 1, a request that is
	// cut off or times out does so, too (httpd: failontimeout). Default: 3.
	Passive Count `yaml:"passive" range:"0..100"`
	// DrainStatus are answers of path by which a node asks to be drained, such as
	// 404: its sessions stay, nobody new comes. usher asks, at the interval, but not
	// more than once a second. Default: none.
	DrainStatus []StatusRange `yaml:"drain_status"`
	// DrainHeader is a header in the answer of path by which a node asks the same.
	// Default: none.
	DrainHeader string `yaml:"drain_header"`
}

// Asks tells whether usher asks the nodes itself, beside Envoy.
func (h Health) Asks() bool {
	return h.Path != "" && (len(h.DrainStatus) > 0 || h.DrainHeader != "" || h.Preset != "")
}
