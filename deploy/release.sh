#!/usr/bin/env bash
# Makes DIST/: for each platform a tarball, a deb, an rpm and a bill of materials,
# and SHA256SUMS over all. The same commit gives the same bytes, wherever and
# whenever it is built, by the same Go.
#
#   deploy/release.sh NFPM CYCLONEDX [DIST]
#
# The version is that of the last tag, or made of the commit where there is none.
# $ARCHES are the platforms, amd64 and arm64 if it is not set. Where there is no git, $VERSION, $COMMIT and $SOURCE_DATE_EPOCH say what it would.
set -euo pipefail
cd "$(dirname "$0")/.."

nfpm=$(realpath "$1") cyclonedx=$(realpath "$2") dist=${3:-dist/release}
arches=${ARCHES:-amd64 arm64}

# describe finds version, commit and date.
describe() {
  local git="git -c safe.directory=$PWD" day
  COMMIT=$($git rev-parse HEAD)
  SOURCE_DATE_EPOCH=$($git log -1 --format=%ct)
  day=$(date -u -d "@$SOURCE_DATE_EPOCH" +%Y%m%d)
  VERSION=$($git describe --tags --match 'v[0-9]*' 2>/dev/null || echo "v0.0.0~$day.g${COMMIT:0:7}")
  VERSION=${VERSION#v}
  VERSION=${VERSION//-/.} # packages know no hyphen in a version
  $git diff --quiet HEAD || VERSION+=+changed
}

[ -n "${COMMIT:-}" ] || describe
version=$VERSION
export VERSION SOURCE_DATE_EPOCH TZ=UTC LC_ALL=C
export CGO_ENABLED=0 GOOS=linux GOAMD64=v1 GOARM64=v8.0 GOFLAGS="-buildvcs=false -mod=readonly"
umask 022

# compile ARCH FILE
compile() {
  GOARCH=$1 go build -trimpath -ldflags "-s -w -X main.version=v$version -X main.commit=$COMMIT" -o "$2" ./cmd/usher
}

# completions FOLDER
completions() {
  local shell file
  mkdir -p "$1"
  for shell in bash:usher.bash zsh:_usher fish:usher.fish; do
    file=$1/${shell#*:}
    "$host" completion "${shell%%:*}" >"$file"
  done
}

# manual FOLDER
manual() {
  mkdir -p "$1"
  "$host" man --help >/dev/null 2>&1 || return 0 # an usher without one
  "$host" man "$1"
  find "$1" -type f -exec gzip -9n {} +
}

# tarball ARCH: everything in a folder that says what it is.
tarball() {
  local name=usher-$version-linux-$1
  install -D -m 0755 "$work/$1/usher" "$work/$name/usher"
  install -m 0755 deploy/get-envoy.sh "$work/$name/get-envoy"
  install -m 0644 LICENSE README.md CHANGELOG.md deploy/systemd/usher.service "$work/$name"
  install -m 0644 cmd/usher/starter.yaml "$work/$name/cluster.yaml"
  cp -R "$work/$1/completions" "$work/$1/man" "$work/$name"
  tar --create --directory "$work" --sort=name --mtime="@$SOURCE_DATE_EPOCH" \
    --owner=0 --group=0 --numeric-owner --format=ustar "$name" | gzip -9n >"$dist/$name.tar.gz"
}

# packages ARCH
packages() {
  local kind
  for kind in deb rpm; do
    ARCH=$1 STAGE=$work/$1 "$nfpm" package --config deploy/package/nfpm.yaml --packager $kind --target "$dist" >/dev/null
  done
}

# materials ARCH: a CycloneDX list of every module in the binary, read from it.
materials() {
  "$cyclonedx" bin -json -noserial -notimestamp -licenses -assert-licenses -version "v$version" \
    -output "$dist/usher-$version-linux-$1.cdx.json" "$work/$1/usher" 2>"$work/cyclonedx.log" || { cat "$work/cyclonedx.log" >&2; exit 1; }
}

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
rm -rf "$dist"
mkdir -p "$dist"
host=$work/$(go env GOHOSTARCH)/usher # runs here
compile "$(go env GOHOSTARCH)" "$host"
for arch in $arches; do
  [ -x "$work/$arch/usher" ] || compile "$arch" "$work/$arch/usher"
  completions "$work/$arch/completions"
  manual "$work/$arch/man"
  tarball "$arch"
  packages "$arch"
  materials "$arch"
done
(cd "$dist" && sha256sum -- * >"$work/SHA256SUMS" && mv "$work/SHA256SUMS" .)
echo "$dist: usher $version"
