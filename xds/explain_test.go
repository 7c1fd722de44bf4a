package xds

import (
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"usher/model"
)

const explained = `
listeners:
  - name: https
    address: 127.0.0.1:8443
    hosts: [is.example.org, "*.apps.example.org"]
    tls: {certificate: server}
    routes:
      - {path: /balancer-manager, deny: true}
      - {path: /carbon, pool: identity, allow: [10.0.0.0/8]}
      - {exact: /old, redirect: /new}
      - {path: /pdp, pool: identity, sticky: false}
      - {path: /strict, pool: identity, on_failure: error}
      - {path: /hash, pool: ring}
      - {path: /, pool: identity}
  - {name: http, address: 127.0.0.1:8080, hosts: [is.example.org], redirect: https, redirect_port: 443}
pools:
  - name: identity
    sticky: {jvm_route: JSESSIONID}
    nodes:
      - {name: isNode1, address: 127.0.0.1:9443}
      - {name: isNode2, address: 127.0.0.1:9444}
      - {name: isNode3, address: 127.0.0.1:9445, state: drain}
      - {name: isNode4, address: 127.0.0.1:9446, state: standby}
      - {name: isNode5, address: 127.0.0.1:9447, state: disabled}
  - name: ring
    sticky: {cookie: {name: SRV}}
    nodes:
      - {name: a, address: 127.0.0.1:9001}
      - {name: b, address: 127.0.0.1:9002, state: drain}
certificates:
  - {name: server, hosts: [is.example.org]}
`

// explanation sums up what becomes of a request: the answer, or the outcome and the
// nodes.
func explanation(t *testing.T, down []string, target, cookie, from string) string {
	t.Helper()
	c, problems := model.Parse("cluster.yaml", []byte(explained))
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	q := Request{TLS: true, Host: "is.example.org", Port: 8443, Path: target, Header: http.Header{}, From: netip.MustParseAddr(from)}
	if cookie != "" {
		q.Header.Set("Cookie", cookie)
	}
	e := Explain(c, Material{}, func(n NodeOf) Sight {
		return Sight{Healthy: !slices.Contains(down, n.Node), Why: "its check fails"}
	}, q)
	if e.Status != 0 {
		return http.StatusText(e.Status) + " " + e.Route
	}
	return e.Outcome + " " + strings.Join(e.Nodes, ",")
}

func TestExplainSaysWhatBecomesOfARequest(t *testing.T) {
	for _, c := range []struct {
		down                 []string
		target, cookie, want string
	}{
		{nil, "/", "", "new isNode1,isNode2"},
		{nil, "/", "JSESSIONID=A.isNode2", "sticky isNode2"},
		{nil, "/", `x=1; JSESSIONID="A.isNode2"`, "sticky isNode2"},
		{nil, "/x;jsessionid=B.isNode1?y", "JSESSIONID=A.isNode2", "sticky isNode1"},
		{nil, "/", "JSESSIONID=A.isNode3", "sticky isNode3"},
		{nil, "/", "JSESSIONID=A.isNode5", "drained isNode1,isNode2"},
		{nil, "/", "JSESSIONID=A.nobody", "unknown-route isNode1,isNode2"},
		{nil, "/", "JSESSIONID=A.@active", "unknown-route isNode1,isNode2"},
		{nil, "/", "JSESSIONID=A", "new isNode1,isNode2"},
		{nil, "/", "JSESSIONID=A.nobody; JSESSIONID=B.isNode2", "sticky isNode2"},
		{[]string{"isNode2"}, "/", "JSESSIONID=A.isNode2", "failover isNode1"},
		{[]string{"isNode1", "isNode2"}, "/", "JSESSIONID=A.isNode2", "failover isNode4"},
		{[]string{"isNode2"}, "/strict", "JSESSIONID=A.isNode2", "Service Unavailable /strict"},
		{nil, "/strict", "", "new isNode1,isNode2"},
		{nil, "/pdp/x", "JSESSIONID=A.isNode2", "none isNode1,isNode2"},
		{nil, "/balancer-manager;x/y", "", "Not Found /balancer-manager"},
		{nil, "/a/..;/balancer-manager", "", "Not Found "},
		{nil, "/a%2fb", "", "Not Found "},
		{nil, "//a/./../balancer-m%61nager", "", "Not Found /balancer-manager"},
		{nil, "/carbon", "", "Forbidden /carbon"},
		{nil, "/old", "", "Found /old"},
		{nil, "/hash", "", "hash a"},
		{nil, "/hash", "SRV=1", "hash a,b"},
	} {
		if got := explanation(t, c.down, c.target, c.cookie, "192.0.2.1"); got != c.want {
			t.Errorf("%s with %q, %v down: %s, want %s", c.target, c.cookie, c.down, got, c.want)
		}
	}
	if got := explanation(t, nil, "/carbon/x", "", "10.1.2.3"); got != "new isNode1,isNode2" {
		t.Errorf("from an address that may: %s", got)
	}
}
