#!/bin/sh
# After the files have gone. What usher kept (the local CA!) and the Envoy that was
# brought go with a purge alone, which only dpkg knows; the user stays, as files of
# its own elsewhere do.
set -e

[ ! -d /run/systemd/system ] || systemctl daemon-reload
if [ "$1" = purge ]; then
  rm -rf /var/lib/usher /var/log/usher /usr/lib/usher
fi
