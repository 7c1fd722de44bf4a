#!/usr/bin/env bash
# The Go benchmarks, of this tree alone or beside those of another commit: round by
# round, first the one and then the other, so that a busy machine is busy for both.
#
#   compare.sh BENCHSTAT [COMMIT]
#
# BENCH is the pattern (default: all, and beside a commit all but the thousand
# Envoys, which say little about one), ROUNDS how often each is run (6), BENCHTIME
# for how long (0.2s).
set -euo pipefail

benchstat=$(realpath "$1")
base=${2:-}
packages=(model xds cmd/usher cmd/usher/console cmd/usher/figures)

if [[ -z $base ]]; then
	exec go test -run '^$' -bench "${BENCH:-.}" -benchtime "${BENCHTIME:-0.5s}" -benchmem "${packages[@]/#/./}"
fi

work=$(mktemp -d)
trap 'git worktree remove --force "$work/base" 2>/dev/null || true; rm -rf "$work"' EXIT
git worktree add --quiet --detach "$work/base" "$base"
ln -s "$PWD" "$work/now"

for side in base now; do
	for p in "${packages[@]}"; do
		[[ -d $work/$side/$p ]] || continue
		(cd "$work/$side/$p" && go test -c -o "$work/$side.${p//\//.}" .)
	done
done
for ((round = 1; round <= ${ROUNDS:-6}; round++)); do
	echo "round $round of ${ROUNDS:-6}" >&2
	for side in base now; do
		for p in "${packages[@]}"; do
			[[ -x $work/$side.${p//\//.} ]] || continue
			(cd "$work/$side/$p" && "$work/$side.${p//\//.}" -test.run '^$' -test.bench "${BENCH:-^Benchmark[^F]}" \
				-test.benchtime "${BENCHTIME:-0.2s}" -test.benchmem) >>"$work/$side.txt"
		done
	done
done
(cd "$work" && "$benchstat" base="base.txt" now="now.txt")
