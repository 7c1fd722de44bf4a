#!/usr/bin/env bash
# Two stubs and a balancer in front of them. Ends all that it started.
set -uo pipefail
cd "$(dirname "$0")/../.."

taken=0
for port in 8443 9443 9444 18000 18080; do
  if (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then
    echo "port $port is taken by another program; stop it first" >&2
    taken=1
  fi
done
[ $taken = 0 ] || exit 1

mkdir -p demo
[ -e demo/cluster.yaml ] || cp deploy/demo/cluster.yaml demo/cluster.yaml

pids=()
end() {
  trap '' INT TERM
  for pid in "${pids[@]}"; do kill -TERM "$pid" 2>/dev/null; done
  wait
}
trap 'end; exit 0' INT TERM
trap end EXIT

bin/isstub --name isNode1 --listen 127.0.0.1:9443 & pids+=($!)
bin/isstub --name isNode2 --listen 127.0.0.1:9444 & pids+=($!)
bin/usher run --config demo/cluster.yaml & usher=$!
pids+=("$usher")

for _ in $(seq 100); do
  if bin/usher status --config demo/cluster.yaml --quiet && (exec 3<>/dev/tcp/127.0.0.1/8443) 2>/dev/null; then
    cat <<TXT

usher balances two stubs on https://localhost:8443. In another terminal:

  curl --cacert demo/.usher/ca/ca.crt -c jar -b jar https://localhost:8443/     # again and again: the same node
  curl --cacert demo/.usher/ca/ca.crt https://localhost:8443/                   # without a cookie: in turn
  \$EDITOR demo/cluster.yaml                                                     # state: drain, weight: 3, …
  bin/usher status --config demo/cluster.yaml

Ctrl-C ends it.

TXT
    break
  fi
  kill -0 "$usher" 2>/dev/null || exit 1
  sleep 0.1
done
wait "$usher"
