#!/usr/bin/env bash
# Builds docker compose v2 from its Go module to FILE, for distributions that
# package v1 alone. Does nothing when it is there.
set -euo pipefail

file=${1:?usage: get-compose.sh FILE}
version=v2.40.3
module=github.com/docker/compose/v2@$version
[ -x "$file" ] && [ "$("$file" version --short)" = "${version#v}" ] && exit 0

mkdir -p "$(dirname "$file")"
work=$(mktemp -d "$file.XXXXXX")
trap 'rm -rf "$work"' EXIT
echo "building docker compose $version; this takes some minutes, once"
# Its go.mod excludes versions, which `go install` does not take.
source=$(cd "$work" && go mod download -json "$module" | sed -n 's/^\t"Dir": "\(.*\)",$/\1/p')
cp -r "$source" "$work/source"
chmod -R u+w "$work/source"
(cd "$work/source" && CGO_ENABLED=0 go build -trimpath -buildvcs=false -ldflags "-s -w -X github.com/docker/compose/v2/internal.Version=$version" \
  -o ../compose ./cmd)
mv "$work/compose" "$file"
