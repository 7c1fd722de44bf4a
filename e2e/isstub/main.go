package main

import (
	_ "embed"
	"flag"
	"fmt"
	"os"
	"regexp"
)

// options are the flags.
type options struct {
	name, listen       string
	cert, key, clients string
	plain, http2       bool
	tcp                string
	tcpTLS             bool
}

func main() {
	var o options
	flag.StringVar(&o.name, "name", "isNode1", "the node's name, its jvmRoute")
	flag.StringVar(&o.listen, "listen", ":9443", "address to listen on")
	flag.StringVar(&o.cert, "cert", "", "PEM file of the certificate chain (default: self-signed)")
	flag.StringVar(&o.key, "key", "", "PEM file of its key")
	flag.StringVar(&o.clients, "clients", "", "PEM file of the authorities of which every client must show a certificate (default: none is asked for)")
	flag.BoolVar(&o.plain, "plain", false, "HTTP instead of HTTPS")
	flag.BoolVar(&o.http2, "http2", false, "HTTP/2 beside HTTP/1.1, and gRPC")
	flag.StringVar(&o.tcp, "tcp", "", "address to answer lines on (default: nowhere)")
	flag.BoolVar(&o.tcpTLS, "tcp-tls", false, "TLS for the lines")
	flag.Usage = usage
	flag.Parse()
	if err := run(o); err != nil {
		fmt.Fprintf(os.Stderr, "isstub: %v\n", err)
		os.Exit(1)
	}
}

//go:embed doc.go
var doc string

func usage() {
	_, _ = fmt.Fprintf(flag.CommandLine.Output(), "%s\nFlags:\n\n", manual())
	flag.PrintDefaults()
}

// manual is the package comment.
func manual() (text string) {
	for _, line := range regexp.MustCompile(`(?m)^//[ \t]?(.*\n)`).FindAllStringSubmatch(doc, -1) {
		text += line[1]
	}
	return text
}
