#!/bin/sh
# Builds every target by oss_fuzz_build.sh with clang, and fuzzes each for some
# seconds from its seed corpus: 10, or the first argument. It calls Bazel, so it
# is no Bazel test; .ci/run runs it.
set -u
seconds=${1:-10}
here=$(cd "$(dirname "$0")" && pwd)
OUT=$(mktemp -d)
export OUT
trap 'rm -rf "$OUT"' EXIT
"$here/oss_fuzz_build.sh" >"$OUT/build.log" 2>&1 || {
  tail -50 "$OUT/build.log"
  exit 1
}

failed=0
for binary in "$OUT"/*_fuzz; do
  name=$(basename "$binary")
  seeds=$OUT/seeds/$name
  mkdir -p "$seeds" "$OUT/new/$name"
  python3 -m zipfile -e "$OUT/${name}_seed_corpus.zip" "$seeds" || failed=1
  dictionary=
  [ ! -f "$binary.dict" ] || dictionary=-dict=$binary.dict
  entropic=
  [ ! -f "$binary.options" ] || entropic=-$(grep entropic "$binary.options" | tr -d ' ')
  # shellcheck disable=SC2086
  # One seed: a change is judged, not luck.
  if "$binary" -seed=1 -max_total_time="$seconds" -timeout=25 $dictionary $entropic \
    -artifact_prefix="$OUT/" "$OUT/new/$name" "$seeds" >"$OUT/$name.log" 2>&1; then
    echo "$name: $(tail -1 "$OUT/$name.log")"
  else
    echo "$name: FAILED"
    tail -40 "$OUT/$name.log"
    failed=1
  fi
done
exit "$failed"
