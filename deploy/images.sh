#!/usr/bin/env bash
# Builds the images of compose.yaml and kubernetes/usher.yaml from bin/ and .tools/envoy. It pulls nothing:
# an Envoy image that was pulled before stays, otherwise one is assembled.
set -euo pipefail
cd "$(dirname "$0")/.."

envoy_image=envoyproxy/envoy:v1.40.0
here=deploy/images
stage=dist/images

docker version >/dev/null || { echo "make images needs a running Docker daemon; 'make compose-test' starts one by itself" >&2; exit 1; }
for file in bin/usher bin/isstub .tools/envoy; do
  [ -x "$file" ] || { echo "$file is missing: run 'make build envoy' first" >&2; exit 1; }
done

# roots writes the system's authorities, where they have any.
roots() {
  local bundle
  for bundle in /etc/ssl/certs/ca-certificates.crt /etc/pki/tls/certs/ca-bundle.crt /etc/ssl/ca-bundle.pem; do
    [ -s "$bundle" ] && { install -D -m 0644 "$bundle" "$1"; return; }
  done
  echo "no bundle of the system's authorities found: apt-get install ca-certificates" >&2
  exit 1
}

# closure copies programs' libraries and their loader to where they look.
closure() {
  local root=$1 lib
  shift
  for lib in $(ldd "$@" | grep -o '/[^ :)]*' | sort -u); do
    [[ $lib == *.so* ]] && install -D -m 0755 "$(readlink -f "$lib")" "$root$lib"
  done
}

build() { docker build --quiet --tag "$1" --file "$here/$2.Dockerfile" "$stage/$2" >/dev/null && echo "built $1"; }

rm -rf "$stage"
umask 022
install -D -m 0755 bin/usher "$stage/usher/usher"
roots "$stage/usher/ca-certificates.crt"
install -d -m 0700 "$stage/usher/state" "$stage/usher/state/xds"
build usher:dev usher

install -D -m 0755 bin/isstub "$stage/isstub/isstub"
build usher-isstub:dev isstub

# envoy makes the public image's stand-in; only one of our own making is made again.
envoy() {
  local made root=$stage/envoy/rootfs
  if made=$(docker image inspect --format '{{index .Config.Labels "usher.assembled"}}' "$envoy_image" 2>/dev/null) && [ "$made" != true ]; then
    echo "kept $envoy_image"
    return
  fi
  install -D -m 0755 .tools/envoy "$root/usr/local/bin/envoy"
  install -D -m 0755 "$(readlink -f /bin/sh)" "$root/bin/sh"
  install -D -m 0755 "$here/envoy-entrypoint.sh" "$root/docker-entrypoint.sh"
  closure "$root" .tools/envoy /bin/sh
  roots "$root/etc/ssl/certs/ca-certificates.crt"
  install -d "$root/etc/envoy"
  echo 'hosts: files dns' >"$root/etc/nsswitch.conf"
  printf 'root:x:0:0:root:/:/bin/sh\nenvoy:x:101:101:envoy:/:/bin/sh\n' >"$root/etc/passwd"
  printf 'root:x:0:\nenvoy:x:101:\n' >"$root/etc/group"
  build "$envoy_image" envoy
}

envoy
install -D -m 0755 bin/usher "$stage/usher-envoy/usher"
roots "$stage/usher-envoy/ca-certificates.crt"
build usher-envoy:dev usher-envoy
