// Command isstub is a small server that behaves as a node of WSO2 Identity
// Server does for a balancer: sessions in JSESSIONID with the jvmRoute behind the
// id, a console that redirects to its own address, decisions, a health API, and
// faults on demand. It serves the demonstration, the compose file and the tests.
//
// It keeps everything in memory, checks no password, and is no server for anybody
// else. What it takes, keeps and waits for is bounded. Every answer has the node's
// name in the header X-Node.
//
// What the product has:
//
//	/                  a page that counts the requests of its session; ?json
//	/carbon/           the console, redirects to the node's own address
//	/oauth2/authorize  a login, to /authenticationendpoint/login.do, POST /commonauth,
//	                   back, and on to ?redirect_uri=; an error page where a step
//	                   comes to another node than the first. JSESSIONID is of these
//	                   web applications' own paths, of / everywhere else
//	/api/identity/entitlement/decision/pdp, also below /t/TENANT
//	                   POST: decides XACML 3.0, as JSON or XML, several questions
//	                   (Multiple Decision Profile) in the request's order; without
//	                   a session. The action read is permitted, all else denied
//	/services/EntitlementService, /services/AuthenticationAdmin
//	                   POST: getDecision and login by SOAP, with a session
//	/api/health-check/v1.0/health, /health
//	                   the health API, and a page that is never switched off
//
// What tests ask for:
//
//	/headers           what reached the node: method, URI as received, headers, …
//	/stats             requests and sessions so far
//	/slow?ms=          the page, later
//	/poll?ms=&every=   a long poll; with every, a line each so many milliseconds
//	/hang, /reset      no answer; a connection that is cut
//	/status/CODE       an answer with this status
//	/big?bytes=        so many zeros
//	/upload            counts the body
//	/continue          the same, with Expect: 100-continue; ?refuse=413 (400 to 599)
//	                   answers without having read it
//	/trailers          says which trailers came, and sends trailers of its own
//	/redirect?to=      302 with this Location; header=Content-Location, URI,
//	                   Destination, Refresh or Link in its place; status=
//	/setcookie         a cookie with ?name=, value=, path=, domain=
//	/ws                a WebSocket that echoes texts, the node's name before them
//	/stub              how the node behaves; POST changes what is given:
//	                     health=ok|failing|off|drain  200 | 503 | 200 without a body,
//	                                 as a health API that is switched off | 404
//	                     drain_header=NAME  a header in the answers about health
//	                     delay=200ms        before every answer
//	                     fail=503           in the place of every answer; 0 ends it
//	                     reset=true         cuts every connection that asks something
//	                   The last three leave health and /stub alone
//
// With --http2 it speaks HTTP/2 as well, by ALPN or, with --plain, to whoever
// begins with it, and has the gRPC service grpc.health.v1.Health. With --tcp it
// answers every line at another port with the node's name and the line, in the
// place of Thrift and LDAP.
package main
