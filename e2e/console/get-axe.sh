#!/usr/bin/env bash
# Brings axe-core, which finds faults of pages that shut people out, to FILE. It is
# used by the tests alone and never shipped (MPL-2.0).
set -euo pipefail
file=$1
version=4.14.1
integrity=FHfa+lmNjQZfJz1q8wKqIDwC6DExcHt/pkjNQb09a3NPjCKg2rhu5qb2S4r76ASyFNNtuFooJpZe37OgudVGtQ==

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
(cd "$dir" && npm pack --silent "axe-core@$version" >/dev/null)
got=$(openssl dgst -sha512 -binary "$dir/axe-core-$version.tgz" | base64 -w0)
[ "$got" = "$integrity" ] || { echo "axe-core $version is not what was reviewed: sha512-$got" >&2; exit 1; }
tar -xzf "$dir/axe-core-$version.tgz" -C "$dir" package/axe.min.js
mv "$dir/package/axe.min.js" "$file"
