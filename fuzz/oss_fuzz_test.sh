#!/bin/sh
# Builds every target by oss_fuzz_build.sh with clang, and fuzzes each for some
# seconds from its seed corpus, as many at a time as there are cores: 10
# seconds, or the first argument. It calls Bazel, so it is no Bazel test;
# .ci/run runs it.
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

# One seed, and the corpus in one order: a change is judged, not luck, nor the
# order of a directory. What xargs gives it: the seconds, and the binary.
# shellcheck disable=SC2016
fuzz_one='
  binary=$2
  name=$(basename "$binary")
  seeds=$OUT/seeds/$name
  mkdir -p "$seeds" "$OUT/new/$name"
  python3 -m zipfile -e "$OUT/${name}_seed_corpus.zip" "$seeds" || exit 1
  find "$seeds" -type f | LC_ALL=C sort | paste -sd, | tr -d "\n" >"$OUT/$name.list"
  options=
  [ ! -f "$binary.dict" ] || options=-dict=$binary.dict
  [ ! -f "$binary.options" ] ||
    options="$options $(sed -n "s/^\([a-z]*\) = /-\1=/p" "$binary.options")"
  if "$binary" -seed=1 -max_total_time="$1" -timeout=25 $options \
    -artifact_prefix="$OUT/" -seed_inputs="@$OUT/$name.list" "$OUT/new/$name" \
    >"$OUT/$name.log" 2>&1; then
    echo "$name: $(tail -1 "$OUT/$name.log")"
  else
    echo "$name: FAILED"
    tail -40 "$OUT/$name.log"
    exit 1
  fi'
printf '%s\n' "$OUT"/*_fuzz |
  xargs -P "$(nproc)" -n 1 sh -c "$fuzz_one" fuzz "$seconds"
