#!/bin/bash
# Each row of bench/whole, once and on small inputs. It looks at no time: what
# fails is a command's exit status, or bytes that should be the same.
set -eu
run() {
  "$1" --program="$2" --touch="$3" --mib=1 --sections=100 --starts=1 --pairs=1 "${@:4}"
}

fail() {
  cat "$TEST_TMPDIR/table"
  echo "$1" >&2
  exit 1
}

run "$@" --list > "$TEST_TMPDIR/names"
[ "$(wc -l < "$TEST_TMPDIR/names")" -ge 15 ] || fail "rows are missing"
run "$@" > "$TEST_TMPDIR/table"
figure='[0-9.e+-]+ \([0-9.e+-]+ to [0-9.e+-]+\)( ns)?'
while read -r name; do
  grep -F "| $name |" "$TEST_TMPDIR/table" |
    grep -Eq "\| $figure \| $figure \| [0-9.e+-]+ \([0-9.e+-]+\) \| [0-9.]+ \|$" ||
    fail "no figures of: $name"
done < "$TEST_TMPDIR/names"

run "$@" --old="$2" --rows='^check of RAM, file' > "$TEST_TMPDIR/table"
[ "$(grep -c '^| check of RAM, file' "$TEST_TMPDIR/table")" = 2 ] ||
  fail "one row of each program"
