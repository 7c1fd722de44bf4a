package pki

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"time"
)

// refusalWait is how long a node that asked for a certificate may take to say
// what it thinks of it. In TLS 1.3 it says so after the handshake.
const refusalWait = 500 * time.Millisecond

// What Probe finds in the place of a certificate.
var (
	ErrNoConnection = errors.New("no connection")
	ErrNoTLS        = errors.New("it does not speak TLS") // its first bytes are something else
)

// Seen is what a server showed on the wire.
type Seen struct {
	Chain   []*x509.Certificate // as it came, the leaf first; empty where none came
	Version uint16              // of TLS, such as tls.VersionTLS13; 0 where the handshake failed
	Asks    bool                // it asked for a client certificate
	Refusal string              // why it ended the connection; empty where it did not
	At      time.Time           // by whose clock dates are judged
}

// Leaf is the server's own certificate, nil where none came.
func (s Seen) Leaf() *x509.Certificate {
	if len(s.Chain) == 0 {
		return nil
	}
	return s.Chain[0]
}

// Probe connects to HOST:PORT, shakes hands by TLS 1.2 or 1.3 as Envoy would,
// and hangs up. It sends the server name as SNI (an IP address, or none, is not
// sent), shows the client certificate where it has one, and verifies nothing:
// that is left to those who look at what was seen. The error is ErrNoConnection
// with its reason, ErrNoTLS, or says why no certificate came. A server that showed a
// certificate and then hung up is no error, but has a Refusal. ctx bounds all.
func Probe(ctx context.Context, address, serverName string, client Pair, now time.Time) (Seen, error) {
	seen := Seen{At: now}
	raw, err := (&net.Dialer{}).DialContext(ctx, "tcp", address)
	if err != nil {
		return seen, fmt.Errorf("%w: %w", ErrNoConnection, inTime(ctx, err))
	}
	defer raw.Close() //nolint:errcheck // nothing was written that could be lost
	config, err := seen.config(serverName, client)
	if err != nil {
		return seen, err
	}
	conn := tls.Client(raw, config)
	err = conn.HandshakeContext(ctx)
	if err == nil {
		seen.Version = conn.ConnectionState().Version
		err = seen.listen(ctx, conn)
	}
	return seen, seen.judge(ctx, err)
}

// config notes what the server says while it says it: a handshake that fails
// later has shown the certificate all the same.
func (s *Seen) config(serverName string, client Pair) (*tls.Config, error) {
	own := &tls.Certificate{}
	if client.Leaf != nil {
		pair, err := tls.X509KeyPair(client.Chain, client.Key)
		if err != nil {
			return nil, fmt.Errorf("show a client certificate: %w", err)
		}
		own = &pair
	}
	return &tls.Config{
		MinVersion:         tls.VersionTLS12,
		MaxVersion:         tls.VersionTLS13,
		ServerName:         serverName,
		InsecureSkipVerify: true, //nolint:gosec // what is there is to be seen, whatever it is; nothing is sent
		VerifyConnection: func(state tls.ConnectionState) error {
			s.Chain = state.PeerCertificates
			return nil
		},
		GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
			s.Asks = true
			return own, nil
		},
	}, nil
}

// listen waits for a word about the client certificate, if one was asked for.
func (s *Seen) listen(ctx context.Context, conn *tls.Conn) error {
	if !s.Asks {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, refusalWait)
	defer cancel()
	defer context.AfterFunc(ctx, func() { _ = conn.SetReadDeadline(time.Unix(1, 0)) })() // long past: Read returns
	_, err := conn.Read(make([]byte, 1))
	var timeout net.Error
	if errors.As(err, &timeout) && timeout.Timeout() {
		return nil // silence: it waits for a request
	}
	return err
}

// judge tells a server that hung up after it had shown its certificate from one
// that never did.
func (s *Seen) judge(ctx context.Context, err error) error {
	var record tls.RecordHeaderError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &record):
		return ErrNoTLS
	case s.Leaf() == nil && errors.Is(err, io.EOF):
		return errors.New("it hung up instead of shaking hands")
	case s.Leaf() == nil:
		return inTime(ctx, err)
	case errors.Is(err, io.EOF):
		s.Refusal = "it hung up"
	default:
		s.Refusal = err.Error()
	}
	return nil
}

// inTime is an error of the network in few words.
func inTime(ctx context.Context, err error) error {
	var op *net.OpError
	switch {
	case ctx.Err() != nil, errors.Is(err, os.ErrDeadlineExceeded):
		return errors.New("no answer in time")
	case errors.As(err, &op) && op.Op == "dial":
		return op.Err
	}
	return err
}
