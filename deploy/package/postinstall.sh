#!/bin/sh
# After the files are there: the user that the service runs as, and a restart of
# one that runs, which leaves its Envoy serving. dpkg says `configure OLD`, with
# OLD empty at a first installation; rpm says how many of it are installed now.
set -e

getent group usher >/dev/null || groupadd --system usher
getent passwd usher >/dev/null || useradd --system --gid usher --no-create-home \
  --home-dir /var/lib/usher --shell /usr/sbin/nologin --comment "usher, the balancer" usher

if [ -d /run/systemd/system ]; then
  systemctl daemon-reload
  systemctl try-restart usher.service
fi
if [ "$1$2" = configure ] || [ "$1" = 1 ]; then
  echo "usher: name your nodes in /etc/usher/cluster.yaml, then: systemctl enable --now usher"
fi
