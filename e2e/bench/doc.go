// Command bench measures what a request costs usher's Envoy, beside a lean Envoy
// whose configuration is written by hand, and httpd, HAProxy and nginx where they
// are installed, all on the same work in one run. It serves those who change what
// usher generates, and those who want to know whether its speed is worth the move.
//
// The figure that counts is CPU time a request of the balancer's processes: it holds
// between machines, as a ratio, better than any throughput. Each balancer runs by
// itself on one core; the nodes and the load are this process, on another. All
// balancers see every case once a round, one after the other, so that what a machine
// does in between hits all of them.
//
// Every answer is checked: it has to come from the node that the request's session
// names, whole, by TLS 1.3 with the same curve and cipher. The verdict on the noise
// stands in the output. It never asserts how fast something is.
package main
