//go:build compose

package compose

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"path/filepath"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/protobuf/types/known/emptypb"
)

// strangers ask the xDS port for its secrets. That Envoy's own certificate gets
// them shows that the others would have noticed.
func (p *project) strangers() {
	at := p.address("usher", "18000")
	folder := p.fetch("envoy", "/state/xds")
	own, err := tls.LoadX509KeyPair(filepath.Join(folder, "client.crt"), filepath.Join(folder, "client.key"))
	if err != nil {
		p.t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(read(p.t, filepath.Join(folder, "ca.crt")))
	mutual := &tls.Config{RootCAs: roots, ServerName: "usher-xds", Certificates: []tls.Certificate{own}}

	secrets, err := secretsFrom(p.t, at, credentials.NewTLS(mutual))
	if err != nil || !bytes.Contains(secrets, []byte("PRIVATE KEY")) {
		p.t.Fatalf("Envoy's own certificate gets no key (%v): the strangers below prove nothing", err)
	}
	without := &tls.Config{RootCAs: roots, ServerName: "usher-xds"}
	other := without.Clone()
	other.Certificates = []tls.Certificate{p.frontCertificate()}
	for name, c := range map[string]credentials.TransportCredentials{
		"in plain text":                      insecure.NewCredentials(),
		"without a certificate":              credentials.NewTLS(without),
		"with a certificate of the other CA": credentials.NewTLS(other),
	} {
		if got, err := secretsFrom(p.t, at, c); err == nil || len(got) > 0 {
			p.t.Errorf("a stranger %s got %d bytes (%v)", name, len(got), err)
		}
	}
}

// frontCertificate is the one that clients are shown: by the local CA, which
// must open nothing here.
func (p *project) frontCertificate() tls.Certificate {
	p.t.Helper()
	file := filepath.Join(p.fetch("usher", "/state/certificates"), "server.pem")
	cert, err := tls.LoadX509KeyPair(file, file)
	if err != nil {
		p.t.Fatal(err)
	}
	return cert
}

// secretsFrom is the raw answer to a request for all secrets.
func secretsFrom(t *testing.T, at string, c credentials.TransportCredentials) ([]byte, error) {
	t.Helper()
	conn, err := grpc.NewClient(at, grpc.WithTransportCredentials(c))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close() //nolint:errcheck // nothing is under way
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	var answer emptypb.Empty // keeps what it does not know as it came
	err = conn.Invoke(ctx, "/envoy.service.secret.v3.SecretDiscoveryService/FetchSecrets", &emptypb.Empty{}, &answer)
	return answer.ProtoReflect().GetUnknown(), err
}
