#!/usr/bin/env bash
# Installs the deb on a copy of this machine under a real systemd, runs the service,
# and removes it again. The copy is an overlay in namespaces of its own: nothing of
# the machine changes, and all ends with the script. It needs root.
#
#   deploy/systemd-test.sh DEB ENVOY
set -euo pipefail

# boot is what the first process of the copy does before it becomes systemd.
boot() {
  local root=$1/root unit
  mount --make-rprivate /
  mount -t tmpfs tmpfs "$1"
  mkdir "$1/upper" "$1/scratch" "$root"
  mount -t overlay overlay -o "lowerdir=/,upperdir=$1/upper,workdir=$1/scratch" "$root"
  mount -t proc proc "$root/proc"
  mount -t sysfs sysfs "$root/sys"
  mount -t cgroup2 cgroup2 "$root/sys/fs/cgroup"
  for unit in run tmp dev; do mount -t tmpfs tmpfs "$root/$unit"; done
  cp --archive /dev/{null,zero,full,random,urandom,tty} "$root/dev"
  mkdir "$root/dev/shm" "$root/dev/pts"
  mount -t devpts devpts "$root/dev/pts" -o newinstance,ptmxmode=0666
  ln -s pts/ptmx "$root/dev/ptmx"
  mkdir -p "$root/run/systemd/system" "$root/tmp/given"
  mount --bind "$2" "$root/tmp/given"
  for unit in systemd-sysctl systemd-modules-load systemd-update-utmp systemd-remount-fs; do
    ln -s /dev/null "$root/run/systemd/system/$unit.service" # they are for a machine of their own
  done
  printf '[Unit]\nRequires=sysinit.target\nAfter=sysinit.target\n' >"$root/run/systemd/system/alone.target"
  mkdir "$root/was"
  cd "$root"
  pivot_root . was
  umount --lazy /was
  exec env container=unshare /lib/systemd/systemd --system --unit=alone.target --show-status=no
}

fail() { echo "systemd-test: $*" >&2; journalctl --no-pager -n 30 >&2; systemctl status usher --no-pager --full >&2 || true; exit 1; }

# until_ok waits for something, for thirty seconds.
until_ok() {
  local what=$1
  shift
  for _ in $(seq 300); do "$@" && return; sleep 0.1; done
  fail "waited in vain for $what"
}

property() { systemctl show --value --property "$1" usher; }
envoy() { pgrep -u usher -x envoy; }
answers() { curl -skf -m 2 -o /dev/null https://localhost/alive; }
status_has() { [[ $(property StatusText) == *"$1"* ]]; }

# asking asks again and again while its arguments run: nobody may be failed.
asking() {
  local lost=$work/lost asker
  : >"$lost"
  (while :; do answers || date >>"$lost"; done) &
  asker=$!
  "$@"
  kill "$asker"
  wait "$asker" 2>/dev/null || true
  [ ! -s "$lost" ] || fail "$(wc -l <"$lost") requests failed during: $*"
}

# another_usher asks for both at once: between two questions one may end.
another_usher() {
  local now
  now=$(systemctl show --property ActiveState --property MainPID usher | sort | tr '\n' ' ')
  [[ $now == "ActiveState=active MainPID="[1-9]* && $now != *"MainPID=$1 " ]]
}
crash() { kill -KILL "$(property MainPID)"; until_ok "another usher" another_usher "$1"; }

# survives says that an Envoy outlives what happens to its usher.
survives() {
  local pid usher
  pid=$(envoy) usher=$(property MainPID)
  asking "${@:2}"
  another_usher "$usher" || fail "$1: the same usher"
  [ "$(envoy)" = "$pid" ] || fail "$1: another Envoy, $(envoy) for $pid"
  echo "Envoy survives $1"
}

config() {
  cat <<YAML
listeners: [{name: https, address: ":443", tls: {}, routes: [{exact: /alive, respond: {status: $1}}, {path: /, pool: p}]}]
pools: [{name: p, nodes: [{name: a, address: 127.0.0.1:9443}]}]
YAML
}

# inside is the test proper.
inside() {
  local deb=/tmp/given/usher.deb
  work=$(mktemp --directory --tmpdir=/run)
  ip link set lo up
  dpkg --install $deb
  [ "$(property ActiveState)" = inactive ] || fail "it was started before anything is configured"
  systemd-analyze verify /usr/lib/systemd/system/usher.service
  systemd-analyze security --no-pager --threshold=20 usher | tail -1

  systemctl start usher 2>/dev/null && fail "it is started without an Envoy"
  [ "$(property ExecMainStatus)" = 3 ] && [ "$(property ActiveState)" = failed ] || fail "without an Envoy it does not rest"
  systemctl reset-failed usher
  install -m 0755 /tmp/given/envoy /usr/lib/usher/envoy
  config 200 >/etc/usher/cluster.yaml
  systemctl start usher
  answers || fail "it is started, and does not answer"
  status_has "cluster.yaml is live: 1 listeners, 1 pools, 1 nodes" || fail "no status"
  usher status --config /etc/usher/cluster.yaml | head -3
  survives "a restart" systemctl restart usher
  survives "a crash of usher" crash "$(property MainPID)"
  survives "an upgrade" dpkg --install $deb
  usher node weight a 2 --config /etc/usher/cluster.yaml || fail "root's verb where the service may not write"
  grep -q 'weight: 2' /etc/usher/cluster.yaml || fail "root's verb has not changed the file"
  systemctl reload usher
  config none >/etc/usher/cluster.yaml
  until_ok "the fault in the status" status_has "what was accepted before is served: /etc/usher/cluster.yaml:1:"
  answers || fail "a fault in the file ends it"
  systemctl stop usher
  ! envoy || fail "Envoy is still there after a stop"
  systemctl start usher
  dpkg --purge usher
  ! pgrep -u usher || fail "processes are left by a purge"
  for path in /etc/usher /var/lib/usher /usr/lib/usher /usr/bin/usher; do [ ! -e $path ] || fail "$path is left by a purge"; done
  echo "systemd-test: installed, restarted, crashed, upgraded, stopped, purged"
}

# outside starts the copy and goes into it.
outside() {
  local here init
  here=$(realpath "$0")
  [ "$(id -u)" = 0 ] || { echo "make test-systemd needs root: it mounts" >&2; exit 1; }
  work=$(mktemp -d)
  mkdir "$work/copy" "$work/given"
  cp "$1" "$work/given/usher.deb"
  cp "$2" "$work/given/envoy"
  cp "$here" "$work/given/test"
  unshare --mount --pid --ipc --uts --net --cgroup --fork --kill-child bash "$here" boot "$work/copy" "$work/given" >"$work/log" 2>&1 &
  outer=$!
  trap 'kill -KILL "$outer" 2>/dev/null; wait "$outer" 2>/dev/null || true; rm -rf "$work"' EXIT
  for _ in $(seq 100); do
    init=$(pgrep -P "$outer") && enter systemctl is-active --quiet alone.target 2>/dev/null && break
    kill -0 "$outer" 2>/dev/null || break
    sleep 0.1
  done
  enter bash /tmp/given/test inside || { tail -30 "$work/log" >&2; exit 1; }
}

enter() { nsenter --target "$init" --mount --pid --ipc --uts --net --cgroup --root --wd -- "$@"; }

case $1 in
boot | inside) "$@" ;;
*) outside "$@" ;;
esac
