#!/bin/sh
# One test's coverage: gcov's JSON in, LCOV out, for the sources that Bazel names.
set -eu
for arg; do
  case $arg in
    --coverage_dir=*) dir=${arg#*=} ;;
    --output_file=*) out=${arg#*=} ;;
    --source_file_manifest=*) sources=${arg#*=} ;;
  esac
done
find "$dir" -name '*.gcov.json.gz' -exec gunzip -c {} + |
  jq -r --rawfile sources "$sources" '
    .files[]
    | select(.file | IN($sources | splits("\n")))
    | "SF:\(.file)", (.lines[] | "DA:\(.line_number),\(.count)"), "end_of_record"' > "$out"
