package model

import (
	"reflect"
	"slices"
	"strconv"

	yaml "go.yaml.in/yaml/v4"
)

// words are those of the closed types, in the order in which messages and the
// schema list them.
var words = map[reflect.Type][]string{
	reflect.TypeFor[Balance]():      texts(RoundRobin, LeastRequest, Random, RingHash, Maglev),
	reflect.TypeFor[State]():        texts(Active, Drain, Disabled, Standby, Spare),
	reflect.TypeFor[Verify]():       texts(VerifyCA, VerifyPin, VerifyNone),
	reflect.TypeFor[TLSVersion]():   texts(TLS12, TLS13),
	reflect.TypeFor[KeyType]():      texts(ECDSA, RSA),
	reflect.TypeFor[Redirect]():     texts(RedirectHTTPS),
	reflect.TypeFor[ClientMode]():   texts(ClientRequire, ClientRequest),
	reflect.TypeFor[ClientFormat](): texts(FormatPEM, FormatSubject, FormatFingerprint),
	reflect.TypeFor[Challenge]():    texts(HTTP01, TLSALPN01),
	reflect.TypeFor[OnFailure]():    texts(Failover, Error),
	reflect.TypeFor[Protocol]():     texts(HTTP1, HTTP2),
	reflect.TypeFor[Switch]():       texts(On, Off),
	reflect.TypeFor[Preset]():       texts(WSO2IS),
	reflect.TypeFor[HealthPreset](): texts(HealthWSO2),
	reflect.TypeFor[LogFormat]():    texts(LogJSON, LogCombined),
	reflect.TypeFor[SameSite]():     texts(SameSiteNone, SameSiteLax, SameSiteStrict),
	reflect.TypeFor[Method]():       texts(GET, HEAD, OPTIONS),
}

func texts[T ~string](closed ...T) []string {
	all := make([]string, len(closed))
	for i, w := range closed {
		all[i] = string(w)
	}
	return all
}

// setWord reads one of a closed list.
func setWord(n *yaml.Node, into reflect.Value, known []string) (what, hint string) {
	if into.Type() == reflect.TypeFor[Challenge]() && n.Value == "dns-01" {
		return "dns-01 is not offered", "usher does not write to name servers; choose http-01 or tls-alpn-01"
	}
	if !slices.Contains(known, n.Value) {
		return strconv.Quote(n.Value) + " is not known here", suggest(n.Value, known)
	}
	into.SetString(n.Value)
	return "", ""
}
