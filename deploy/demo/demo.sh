#!/usr/bin/env bash
# Two stubs and a balancer in front of them, for `make demo`. It ends all that
# it started, and nothing else.
set -uo pipefail
cd "$(dirname "$0")/../.."

# An Envoy that outlived a demonstration is taken over, so its port is free to us.
ours=$(sed -n 's/.*"pid": *\([0-9]*\).*/\1/p' demo/.usher/envoy.json 2>/dev/null)
[ -n "$ours" ] && [[ $(readlink "/proc/$ours/exe" 2>/dev/null) == */envoy ]] || ours=''

taken=0
for port in 8443 9443 9444 18000 18080; do
  [ "$port" = 8443 ] && [ -n "$ours" ] && continue
  if (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then
    echo "port $port is taken by another program; stop that first" >&2
    taken=1
  fi
done
[ $taken = 0 ] || exit 1

mkdir -p demo
[ -e demo/cluster.yaml ] || cp deploy/demo/cluster.yaml demo/cluster.yaml

pids=()
# end stops usher before the stubs: its Envoy drains, and they still answer.
end() {
  trap '' INT TERM HUP
  trap - EXIT
  for ((i = ${#pids[@]} - 1; i >= 0; i--)); do
    kill -TERM "${pids[i]}" 2>/dev/null && wait "${pids[i]}" 2>/dev/null
  done
}
trap 'status=$?; end; exit $status' EXIT
trap '' INT HUP # not for the programs: a closed terminal would end usher but not its Envoy

bin/isstub --name isNode1 --listen 127.0.0.1:9443 & pids+=($!)
bin/isstub --name isNode2 --listen 127.0.0.1:9444 & pids+=($!)
bin/usher run --config demo/cluster.yaml & pids+=($!)
usher=$!
trap 'end; exit 0' INT TERM HUP

told=no
for _ in $(seq 150); do
  kill -0 "$usher" 2>/dev/null || break
  if bin/usher status --config demo/cluster.yaml --quiet && (exec 3<>/dev/tcp/127.0.0.1/8443) 2>/dev/null; then
    cat <<'TXT'

usher balances two stubs on https://localhost:8443. Try, in another terminal:

  curl --cacert demo/.usher/ca/ca.crt -c jar -b jar https://localhost:8443/   # again and again: the same node
  curl --cacert demo/.usher/ca/ca.crt https://localhost:8443/                 # without the cookie: in turn
  $EDITOR demo/cluster.yaml                                                   # state: drain, weight: 3; every save is live
  bin/usher status --config demo/cluster.yaml                                 # what is served, and who accepted it
  bin/usher console --config demo/cluster.yaml                                # a link to the console, in a browser

Ctrl-C ends it.

TXT
    told=yes
    break
  fi
  sleep 0.1
done
if [ $told = no ] && kill -0 "$usher" 2>/dev/null; then
  echo "nothing answers on port 8443; does demo/cluster.yaml still name it?" >&2
fi
wait "$usher"
