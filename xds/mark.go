package xds

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"time"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	routev3 "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"
	matcherv3 "github.com/envoyproxy/go-control-plane/envoy/type/matcher/v3"
	"google.golang.org/protobuf/proto"

	"usher/model"
)

// Nobody can tell from a cookie when it was made, and so which nodes its client
// was kept from. A client that comes while nodes drain gets a second cookie, the
// mark, which lists them: it stays on the ring without those of them that still
// drain. Who has no mark came before, and stays on the ring with all nodes.

const (
	markSuffix = "-drain" // ends the name of the mark
	// markLife is how long a mark is kept after a client's last request, which
	// renews it. A client that is silent for longer may be sent to the draining
	// node as if it had come before. A node that drains again within that time
	// throws off those who were kept from it before and have come to it since.
	markLife = 4 * time.Hour
)

// byMark splits a route while nodes drain: one for every set of nodes that
// clients may be kept from, and one for those who come new.
func byMark(r *routev3.Route, p model.Pool, secure bool) []*routev3.Route {
	drained := p.Draining()
	if p.HashCookie() == nil || len(drained) == 0 {
		return []*routev3.Route{r}
	}
	var all []*routev3.Route
	for _, gone := range absences(p) { // the largest set that fits is the right one
		known := toRing(r, p, gone, secure)
		known.Match.Cookies = marks(p.HashCookie(), gone)
		all = append(all, known)
	}
	return append(all, toRing(r, p, drained, secure))
}

// toRing sends a route's requests to the ring without some nodes, and makes or
// renews the mark that says so.
func toRing(r *routev3.Route, p model.Pool, gone []string, secure bool) *routev3.Route {
	r = proto.Clone(r).(*routev3.Route)
	r.GetRoute().ClusterSpecifier = &routev3.RouteAction_Cluster{Cluster: ringName(p, gone)}
	if len(gone) > 0 {
		r.ResponseHeadersToAdd = append(r.ResponseHeadersToAdd, &corev3.HeaderValueOption{
			Header:       &corev3.HeaderValue{Key: "set-cookie", Value: literally(markCookie(p.HashCookie(), gone, secure))},
			AppendAction: corev3.HeaderValueOption_APPEND_IF_EXISTS_OR_ADD,
		})
	}
	return r
}

// literally makes a text stand for itself where Envoy looks for its variables.
func literally(text string) string { return strings.ReplaceAll(text, "%", "%%") }

// marks match clients that have a place on the rings and a mark with at least
// these nodes.
func marks(c *model.Cookie, gone []string) []*routev3.CookieMatcher {
	all := []*routev3.CookieMatcher{{Name: c.Name, StringMatch: &matcherv3.StringMatcher{
		MatchPattern: &matcherv3.StringMatcher_SafeRegex{SafeRegex: regex(".+")},
	}}}
	for _, node := range slices.Sorted(slices.Values(gone)) {
		all = append(all, &routev3.CookieMatcher{Name: c.Name + markSuffix, StringMatch: &matcherv3.StringMatcher{
			MatchPattern: &matcherv3.StringMatcher_Contains{Contains: token(node)},
		}})
	}
	return all
}

// token stands for a node in a mark: of one length, so that none is part of
// another, and no name for strangers to read.
func token(node string) string {
	sum := sha256.Sum256([]byte(node))
	return hex.EncodeToString(sum[:4])
}

// markCookie lives no longer than the cookie that it stands beside.
func markCookie(c *model.Cookie, gone []string, secure bool) string {
	life := markLife
	if c.TTL > 0 {
		life = min(life, c.TTL.Std())
	}
	var tokens []string
	for _, node := range slices.Sorted(slices.Values(gone)) {
		tokens = append(tokens, token(node))
	}
	text := fmt.Sprintf("%s=%s; Path=/; HttpOnly; Max-Age=%d", c.Name+markSuffix, strings.Join(tokens, "."), max(life/time.Second, 1))
	if secure {
		text += "; Secure"
	}
	return text
}
