package main

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"time"
)

// run serves until something fails.
func run(o options) error {
	n := newNode(o.name)
	config, err := o.serverTLS()
	if err != nil {
		return err
	}
	failed := make(chan error, 2)
	if o.tcp != "" {
		lis, err := listen(o.tcp, o.tcpTLS, config)
		if err != nil {
			return err
		}
		fmt.Printf("node %s answers lines on %s\n", o.name, lis.Addr())
		go func() { failed <- n.lines(lis) }()
	}
	lis, err := listen(o.listen, !o.plain, config)
	if err != nil {
		return err
	}
	fmt.Printf("node %s listens on %s\n", o.name, lis.Addr())
	go func() { failed <- server(n, o.http2).Serve(lis) }()
	if err := <-failed; !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// serverTLS is nil where nothing asks for it.
func (o options) serverTLS() (*tls.Config, error) {
	if o.plain && (o.tcp == "" || !o.tcpTLS) {
		return nil, nil
	}
	config, err := serverTLS(o.name, o.cert, o.key, o.clients)
	if err == nil && o.http2 {
		config.NextProtos = []string{"h2", "http/1.1"}
	}
	return config, err
}

func listen(address string, encrypted bool, config *tls.Config) (net.Listener, error) {
	lis, err := net.Listen("tcp", address)
	if err == nil && encrypted {
		lis = tls.NewListener(lis, config)
	}
	return lis, err
}

func server(h http.Handler, http2 bool) *http.Server {
	var protocols http.Protocols
	protocols.SetHTTP1(true)
	protocols.SetHTTP2(http2)
	protocols.SetUnencryptedHTTP2(http2)
	return &http.Server{
		Handler:           h,
		Protocols:         &protocols,
		ReadHeaderTimeout: 10 * time.Second,
		ReadTimeout:       maxSlow + time.Minute,
		WriteTimeout:      maxSlow + time.Minute,
		IdleTimeout:       20 * time.Second,           // Tomcat's
		ErrorLog:          log.New(io.Discard, "", 0), // health checks end in the handshake
	}
}
