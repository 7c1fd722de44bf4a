package main

import (
	"bufio"
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
)

// started serves as main does and returns the address.
func started(t *testing.T, n *node, o options) string {
	t.Helper()
	config, err := o.serverTLS()
	if err != nil {
		t.Fatal(err)
	}
	lis, err := listen("127.0.0.1:0", !o.plain, config)
	if err != nil {
		t.Fatal(err)
	}
	s := server(n, o.http2)
	go func() { _ = s.Serve(lis) }()
	t.Cleanup(func() { _ = s.Close() })
	return lis.Addr().String()
}

// anyCertificate is what clients of a node take that signs its own.
func anyCertificate() *tls.Config {
	return &tls.Config{InsecureSkipVerify: true} //nolint:gosec // the node signs it itself
}

func TestHTTP2IsSpokenWhereItIsAskedFor(t *testing.T) {
	for _, c := range []struct{ plain, http2 bool }{{false, false}, {false, true}, {true, true}} {
		at := started(t, newNode("isNode1"), options{name: "isNode1", plain: c.plain, http2: c.http2})
		var offered http.Protocols
		offered.SetHTTP2(!c.plain)
		offered.SetUnencryptedHTTP2(c.plain)
		offered.SetHTTP1(!c.http2)
		tr := &http.Transport{Protocols: &offered, TLSClientConfig: anyCertificate()}
		defer tr.CloseIdleConnections()
		url := map[bool]string{true: "http://", false: "https://"}[c.plain] + at
		resp, err := (&http.Client{Transport: tr}).Get(url)
		if err != nil {
			t.Fatalf("%+v: %v", c, err)
		}
		_ = resp.Body.Close()
		if want := map[bool]int{true: 2, false: 1}[c.http2]; resp.ProtoMajor != want || resp.Header.Get("X-Node") != "isNode1" {
			t.Errorf("%+v: %s", c, resp.Proto)
		}
		if c.http2 {
			if resp, err := (&http.Client{Transport: tr}).Get(url + "/reset"); err == nil {
				t.Errorf("%+v: a stream that was to be reset has %s", c, resp.Status)
			}
		}
	}
}

func TestGRPCSaysHowTheNodeIs(t *testing.T) {
	for plain, c := range map[bool]credentials.TransportCredentials{true: insecure.NewCredentials(), false: credentials.NewTLS(anyCertificate())} {
		n := newNode("isNode1")
		conn, err := grpc.NewClient(started(t, n, options{name: "isNode1", plain: plain, http2: true}), grpc.WithTransportCredentials(c))
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close() //nolint:errcheck // it is over
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		for health, want := range map[string]healthpb.HealthCheckResponse_ServingStatus{
			"ok": healthpb.HealthCheckResponse_SERVING, "off": healthpb.HealthCheckResponse_SERVING,
			"failing": healthpb.HealthCheckResponse_NOT_SERVING, "drain": healthpb.HealthCheckResponse_NOT_SERVING,
		} {
			tell(t, n, "fail=500&health="+health, 200) // which leaves health alone
			var head metadata.MD
			got, err := healthpb.NewHealthClient(conn).Check(ctx, &healthpb.HealthCheckRequest{}, grpc.Header(&head))
			if err != nil || got.GetStatus() != want || strings.Join(head.Get("x-node"), "") != "isNode1" {
				t.Errorf("%s: %v, %v, %v", health, got, head, err)
			}
		}
		tell(t, n, "fail=0", 200)
		if err := conn.Invoke(ctx, "/x.Y/Z", &healthpb.HealthCheckRequest{}, &healthpb.HealthCheckResponse{}); status.Code(err) != codes.Unimplemented {
			t.Errorf("another service: %v", err)
		}
	}
}

func TestLinesAreSpokenOverTLS(t *testing.T) {
	o := options{name: "isNode1", plain: true, tcp: "127.0.0.1:0", tcpTLS: true}
	config, err := o.serverTLS()
	if err != nil {
		t.Fatal(err)
	}
	lis, err := listen(o.tcp, o.tcpTLS, config)
	if err != nil {
		t.Fatal(err)
	}
	defer lis.Close() //nolint:errcheck // it is over
	go func() { _ = newNode("isNode1").lines(lis) }()
	conn, err := tls.DialWithDialer(&net.Dialer{Timeout: 10 * time.Second}, "tcp", lis.Addr().String(), anyCertificate())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close() //nolint:errcheck // it is over
	_, _ = fmt.Fprintln(conn, "x")
	if got, err := bufio.NewReader(conn).ReadString('\n'); got != "isNode1 x\n" {
		t.Errorf("%q, %v", got, err)
	}
}
