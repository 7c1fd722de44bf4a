package xds

import (
	"fmt"
	"strings"
	"testing"

	"usher/model"
)

// ranks are NAME=NAMES/PRIORITY of all nodes that are there.
func ranks(b backend) string {
	var all []string
	for _, n := range b.Nodes {
		if names := b.answersTo(n); len(names) > 0 {
			all = append(all, fmt.Sprintf("%s=%s/%d", n.Name, strings.Join(names[1:], "+"), b.priority(n)))
		}
	}
	return strings.Join(all, " ")
}

func TestWhereANodeStands(t *testing.T) {
	hashed := poolOf("a b:drain c:standby d:disabled", model.Sticky{Header: "x-user"})
	hashed.Balance = model.RingHash
	spared := poolOf("a b:spare c:standby")
	spared.Balance = model.RingHash
	byHash := poolOf("a b:drain", model.Sticky{Cookie: &model.Cookie{Name: "LB"}})
	byHash.Balance = model.RingHash
	tcp := poolOf("a b:drain c:standby")
	tcp.tcp = true
	for name, c := range map[string]struct {
		backend
		want, tiers string
		percent     uint32
	}{
		"sessions that name nodes": {poolOf("a b:drain c:standby d:disabled", byCookie), "a=@active/0 b=/0 c=@standby/0", "@active @standby", onlyWhenNone},
		"no sessions":              {poolOf("a b:drain c:standby d:disabled"), "a=@active/0 c=@standby/1", "@active @standby", onlyWhenNone},
		"a hash of a header":       {hashed, "a=@active/0 c=@standby/1", "@active @standby", onlyWhenNone},
		"a hash of our cookie":     {byHash, "a=@active/0 b=/0", "@active @standby", onlyWhenNone},
		"Envoy's own session":      {poolOf("a b:drain", model.Sticky{StatefulSession: &model.Cookie{Name: "S"}}), "a=@active/0 b=/0", "@active @standby", onlyWhenNone},
		"connections":              {tcp, "a=@active/0 b=/0 c=@standby/0", "@active @standby", onlyWhenNone},
		"spares":                   {poolOf("a b:spare c:standby"), "a=@active/0 b=@active/1 c=@standby/0", "@active @standby", 100},
		"a hash with spares":       {spared, "a=@active/0 b=@active/1 c=@standby/2", "@active @standby", 100},
		"sets":                     {poolOf("a@2 b@1 c:standby@1 d"), "a=@active2/0 b=@active1/0 c=@standby1/0 d=@active/0", "@active @standby @active1 @standby1 @active2 @standby2", onlyWhenNone},
	} {
		if got := ranks(c.backend); got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
		if got := strings.Join(c.backend.tiers(), " "); got != c.tiers {
			t.Errorf("%s: tiers %s, want %s", name, got, c.tiers)
		}
		if got := c.overprovisioning(); got != c.percent {
			t.Errorf("%s: others take over %d %%, want %d", name, got, c.percent)
		}
	}
}
