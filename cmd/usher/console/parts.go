package console

import (
	"strings"
	"time"

	"usher/cmd/usher/status"
	"usher/xds"
)

// certificate is a certificate in use.
type certificate struct {
	status.Certificate
	Days int
	Mood mood
}

func certificatesOf(s *status.Status, now time.Time) (all []certificate) {
	for _, c := range s.Certificates {
		days := daysLeft(now, c.Expires)
		m := good
		switch {
		case days < 3:
			m = bad
		case days < 14 && c.Renews.IsZero() || days < 7:
			m = warn
		}
		all = append(all, certificate{c, days, m})
	}
	return all
}

// envoy is one that is connected.
type envoy struct {
	xds.Client
	Mood  mood
	Ago   string
	Kinds []kind
}

// From is how it reaches usher.
func (e envoy) From() string {
	switch {
	case !e.Trusted:
		return "From " + e.Address + " in plain text, without keys"
	case strings.Contains(e.Address, ":"):
		return "From " + e.Address + " by mutual TLS"
	}
	return "By the socket"
}

// kind is one kind of resources on an Envoy.
type kind struct {
	xds.ClientState
	Word string
	Mood mood
}

func envoysOf(s *status.Status, now time.Time) (all []envoy) {
	for _, client := range s.Envoys {
		e := envoy{Client: client, Mood: good, Ago: ago(now, client.Since)}
		for _, state := range client.Kinds {
			k := kindOf(state)
			if k.Mood == bad || k.Mood == busy && e.Mood == good {
				e.Mood = k.Mood
			}
			e.Kinds = append(e.Kinds, k)
		}
		all = append(all, e)
	}
	return all
}

func kindOf(s xds.ClientState) kind {
	switch s.State {
	case "ack":
		return kind{s, "ACK", good}
	case "nack":
		return kind{s, "NACK", bad}
	case "sent":
		return kind{s, "sent", busy}
	}
	return kind{s, "not asked", dull}
}
