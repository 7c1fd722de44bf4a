// Command isstub is a small server that behaves as a node of WSO2 Identity
// Server does for a balancer: sessions in JSESSIONID with the jvmRoute behind
// the id, a console that redirects to its own address, a health page. It serves
// the demonstration, the compose file and the tests.
//
// It keeps everything in memory, checks no login, and is no server for anybody
// else.
package main

import (
	"crypto/tls"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"time"
)

func main() {
	name := flag.String("name", "isNode1", "the node's name, its jvmRoute")
	listen := flag.String("listen", ":9443", "address to listen on")
	cert := flag.String("cert", "", "PEM file of the certificate chain (default: self-signed)")
	key := flag.String("key", "", "PEM file of its key")
	clients := flag.String("clients", "", "PEM file of the authorities of which every client must show a certificate (default: none is asked for)")
	plain := flag.Bool("plain", false, "HTTP instead of HTTPS")
	flag.Parse()
	if err := run(*name, *listen, *cert, *key, *clients, *plain); err != nil {
		fmt.Fprintf(os.Stderr, "isstub: %v\n", err)
		os.Exit(1)
	}
}

func run(name, listen, cert, key, clients string, plain bool) error {
	lis, err := net.Listen("tcp", listen)
	if err != nil {
		return err
	}
	if !plain {
		config, err := serverTLS(name, cert, key, clients)
		if err != nil {
			return err
		}
		lis = tls.NewListener(lis, config)
	}
	fmt.Printf("node %s listens on %s\n", name, lis.Addr())
	s := &http.Server{
		Handler:           newNode(name),
		ReadHeaderTimeout: 10 * time.Second,
		IdleTimeout:       20 * time.Second,           // Tomcat's
		ErrorLog:          log.New(io.Discard, "", 0), // health checks end in the handshake
	}
	if err := s.Serve(lis); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}
