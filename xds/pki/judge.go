package pki

import (
	"crypto/tls"
	"errors"
	"strings"
	"time"
)

// JudgeTLS is how a client of our own speaks to a node: it shows the client
// certificate where it has one, sends the server name as SNI, and hangs up where
// the verdict on what it sees has objections. The verdict stands for the library's
// own verification.
func JudgeTLS(serverName string, client Pair, now func() time.Time, verdict func(Seen) []Objection) (*tls.Config, error) {
	var seen Seen
	config, err := seen.config(serverName, client)
	if err != nil {
		return nil, err
	}
	config.VerifyConnection = func(state tls.ConnectionState) error {
		var whys []string
		for _, o := range verdict(Seen{Chain: state.PeerCertificates, Version: state.Version, At: now()}) {
			whys = append(whys, o.What)
		}
		if len(whys) > 0 {
			return errors.New("its certificate: " + strings.Join(whys, ", "))
		}
		return nil
	}
	return config, nil
}
