// Package tomcat holds the promises of usher that a real Tomcat can test: how it
// makes sessions and finds them again, what it says of itself in redirects, how it
// dies and comes back. It serves whoever changes stickiness, failover or reverse.
//
// It has tests only, behind the build tag of the same name, for they need Tomcat
// 10.1: `make test-tomcat`.
package tomcat
