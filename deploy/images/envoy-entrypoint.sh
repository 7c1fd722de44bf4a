#!/bin/sh
# As the public image has it: options alone are Envoy's.
set -e
case "$1" in -*) set -- envoy "$@" ;; esac
exec "$@"
