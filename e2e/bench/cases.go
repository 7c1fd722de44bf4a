package main

// benchCase is one kind of work, the same for all balancers.
type benchCase struct {
	Name    string
	what    string
	clients int
	kind    string // of the certificate
	by      drive
}

const fixedRate = 1000 // requests a second

var cases = []benchCase{
	{"http1", "HTTP/1.1, 50 connections that are kept, 1 KiB bodies", 50, kindECDSA, keepAlive(smallPath, smallBody)},
	{"http2", "HTTP/2, 10 connections of 5 streams each, 1 KiB bodies", 10, kindECDSA, streams(5)},
	{"handshake-ecdsa", "a new connection and full handshake for each request, ECDSA P-256", 16, kindECDSA, handshakes},
	{"handshake-rsa", "the same with RSA of 2048 bits", 16, kindRSA, handshakes},
	{"large", "HTTP/1.1, 10 connections that are kept, 1 MiB bodies", 10, kindECDSA, keepAlive(largePath, largeBody)},
	{"paced", "HTTP/1.1, 1,000 requests a second over 50 connections, 1 KiB bodies", 50, kindECDSA, paced(50, fixedRate)},
}
