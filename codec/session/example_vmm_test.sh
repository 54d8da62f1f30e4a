#!/bin/sh
# The example's output is what the README shows, line by line.
# usage: example_vmm_test.sh PROGRAM README
set -e
"$1" > "$TEST_TMPDIR/output"
cat "$TEST_TMPDIR/output"
test "$(wc -l < "$TEST_TMPDIR/output")" -ge 6
while IFS= read -r line; do
  grep -qFx -- "    $line" "$2" || {
    echo "README.md does not have: $line"
    exit 1
  }
done < "$TEST_TMPDIR/output"
