#!/bin/sh
# Before the files go for good, and not at an upgrade: the service ends, and its
# Envoy with it. dpkg says `remove`, rpm how many of it will be left.
set -e

case "$1" in
remove | 0)
  if [ -d /run/systemd/system ]; then
    systemctl disable --now usher.service || true # as it is not there, or has failed
  fi
  ;;
esac
