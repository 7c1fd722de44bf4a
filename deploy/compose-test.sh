#!/usr/bin/env bash
# Brings compose.yaml up on a real Docker daemon and tries it, by compose v1 and
# v2. Where no daemon answers, it starts one of its own and stops it again.
set -euo pipefail
cd "$(dirname "$0")/.."
PATH=$PATH:/usr/sbin:/sbin
project=usher-test-$$
work=$(mktemp -d)
daemon=

end() {
  trap '' INT TERM
  remove_project || true
  if [ -n "$daemon" ]; then
    kill -TERM "$daemon" 2>/dev/null || true
    wait "$daemon" 2>/dev/null || true
    grep -o " $work/[^ ]*" /proc/mounts | xargs -r umount 2>/dev/null || true
    [ "$had_bridge" = yes ] || ip link delete docker0 2>/dev/null || true
  fi
  rm -rf "$work"
}
trap end EXIT
trap 'exit 130' INT TERM

# remove_project takes away what an interrupted test has left.
remove_project() {
  local mine="label=com.docker.compose.project=$project"
  docker ps -aq --filter "$mine" 2>/dev/null | xargs -r docker rm --force --volumes >/dev/null
  docker volume ls -q --filter "$mine" 2>/dev/null | xargs -r docker volume rm --force >/dev/null
  docker network ls -q --filter "$mine" 2>/dev/null | xargs -r docker network rm >/dev/null
}

# start_daemon runs dockerd with all it keeps below $work.
start_daemon() {
  export DOCKER_HOST=unix://$work/docker.sock
  setsid dockerd --host "$DOCKER_HOST" --data-root "$work/data" --exec-root "$work/exec" \
    --pidfile "$work/pid" "$@" >"$work/log" 2>&1 </dev/null &
  daemon=$!
  for _ in $(seq 300); do
    docker version >/dev/null 2>&1 && { echo "started dockerd $*"; return; }
    kill -0 "$daemon" 2>/dev/null || break
    sleep 0.2
  done
  kill -TERM "$daemon" 2>/dev/null || true
  wait "$daemon" || true
  daemon=
  return 1
}

command -v docker >/dev/null || { echo "make compose-test needs docker: apt-get install docker.io docker-compose" >&2; exit 1; }
if ! docker version >/dev/null 2>&1; then
  command -v dockerd >/dev/null || { echo "no Docker daemon answers, and there is no dockerd: apt-get install docker.io" >&2; exit 1; }
  [ "$(id -u)" = 0 ] || { echo "no Docker daemon answers, and only root can start one" >&2; exit 1; }
  had_bridge=$(ip link show docker0 >/dev/null 2>&1 && echo yes || echo no)
  grep -q ' /sys/fs/cgroup' /proc/mounts || cgroupfs-mount
  # Without packet filters the userland proxy still publishes ports.
  start_daemon || start_daemon --iptables=false --ip6tables=false || { tail -20 "$work/log" >&2; exit 1; }
fi
deploy/images.sh

# pod runs the image of kubernetes/usher.yaml under that file's restrictions.
pod() {
  local id
  id=$(docker run --detach --label "com.docker.compose.project=$project" --user 65532:65532 --read-only --cap-drop ALL \
    --security-opt no-new-privileges --tmpfs /state:mode=1777 --env TMPDIR=/state --volume "$PWD/deploy/cluster:/etc/usher:ro" \
    usher-envoy:dev run --config /etc/usher/cluster.yaml --state /state/usher)
  for _ in $(seq 150); do
    docker exec "$id" usher status --json --state /state/usher 2>/dev/null | grep -q '"accepted": true' && {
      docker rm --force "$id" >/dev/null
      echo "usher-envoy:dev serves"
      return
    }
    sleep 0.2
  done
  docker logs "$id" >&2
  return 1
}
pod

# Debian's docker-compose is v1 up to bookworm and v2 from trixie on.
v1='' v2=''
case $(docker-compose version --short 2>/dev/null) in
1.*) v1=docker-compose ;;
2.* | v2.*) v2=docker-compose ;;
esac
if docker compose version >/dev/null 2>&1; then v2="docker compose"; fi
if [ -z "$v2" ]; then
  deploy/get-compose.sh .tools/docker-compose-v2
  PATH=$PATH:$PWD/.tools v2=docker-compose-v2
fi
[ -n "$v1" ] || echo "compose v1 is not packaged here: only v2 is tried"

passed=0 failed=0
for compose in "$v1" "$v2"; do
  [ -n "$compose" ] || continue
  echo "== $compose $($compose version --short)"
  if go test -tags compose -count=1 -timeout 5m -v ./e2e/compose -args -compose "$compose" -project "$project"; then
    passed=$((passed + 1))
  else
    failed=$((failed + 1))
  fi
done
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
