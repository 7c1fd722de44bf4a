#!/usr/bin/env bash
# Makes the release twice, the second time for this machine's platform alone, in
# another folder, without git and under another umask, and compares every byte; then
# looks into what was made.
#
#   deploy/release-test.sh NFPM CYCLONEDX DIST
set -euo pipefail
cd "$(dirname "$0")/.."
nfpm=$(realpath "$1") cyclonedx=$(realpath "$2") dist=$3

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
fail() { echo "release-test: $*" >&2; exit 1; }

deploy/release.sh "$nfpm" "$cyclonedx" "$dist"
arch=$(go env GOHOSTARCH)
built=$(echo "$dist"/usher_*_"$arch".deb)
version=${built##*/usher_} version=${version%_"$arch".deb}
binary=usher-$version-linux-$arch
tar -xzf "$dist/$binary.tar.gz" -C "$work"
said=$("$work/$binary/usher" version)
commit=$(sed -n 's/^commit //p' <<<"$said")
[[ $said == "usher v$version"* ]] || fail "version $version says: $said"

mkdir "$work/elsewhere"
git -c safe.directory="$PWD" ls-files -z | xargs -0 cp --parents -t "$work/elsewhere"
(umask 077 && ARCHES=$arch VERSION=$version COMMIT=$commit SOURCE_DATE_EPOCH=$(stat -c %Y "$work/$binary/usher") \
  "$work/elsewhere/deploy/release.sh" "$nfpm" "$cyclonedx" "$work/again" >/dev/null)
other=$(grep -Fxv -f "$dist/SHA256SUMS" "$work/again/SHA256SUMS" || true)
[ -z "$other" ] && [ "$(wc -l <"$work/again/SHA256SUMS")" = 4 ] || fail "the second build differs: $other"
(cd "$dist" && sha256sum --quiet --check SHA256SUMS)

unit=usr/lib/systemd/system/usher.service
for kind in deb rpm; do
  case $kind in
  deb) dpkg-deb --fsys-tarfile "$built" | tar -t | sed 's,^\./,/,' >"$work/files" ;;
  rpm) rpm -qlp "$dist/usher-$version-1.x86_64.rpm" >"$work/files" ;;
  esac
  for file in /usr/bin/usher /$unit /etc/usher/cluster.yaml /usr/share/bash-completion/completions/usher; do
    grep -qx "$file" "$work/files" || fail "$file is not in the $kind"
  done
done
rpm -qcp "$dist/usher-$version-1.x86_64.rpm" | grep -qx /etc/usher/cluster.yaml || fail "the rpm would replace cluster.yaml"
dpkg-deb --info "$built" conffiles | grep -qx /etc/usher/cluster.yaml || fail "the deb would replace cluster.yaml"
for module in github.com/spf13/cobra google.golang.org/grpc; do
  grep -q "\"$module\"" "$dist/$binary.cdx.json" || fail "$module is not in the bill of materials"
done
echo "release-test: usher $version, twice the same"
