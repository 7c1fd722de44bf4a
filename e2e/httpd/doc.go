// Package httpd puts the same requests to a real Apache httpd and to usher, both
// in front of the same nodes, and compares what comes of them: httpd's behaviour
// is the reference for everything that carries over from it. It serves those who
// change how requests find their nodes, and the README, which lists what differs.
package httpd
