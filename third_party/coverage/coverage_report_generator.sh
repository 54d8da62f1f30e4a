#!/bin/sh
# All tests' coverage: the sum, line by line, of the LCOV files listed.
set -eu
for arg; do
  case $arg in
    --reports_file=*) reports=${arg#*=} ;;
    --output_file=*) out=${arg#*=} ;;
  esac
done
xargs cat < "$reports" |
  awk -F '[:,]' '/^SF/ { file = $2 } /^DA/ { hits[file "\t" $2] += $3 }
                 END { for (line in hits) print line "\t" hits[line] }' |
  sort -t "$(printf '\t')" -k 1,1 -k 2,2n |
  awk -F '\t' '$1 != file { if (file) print "end_of_record"; print "SF:" (file = $1) }
               { print "DA:" $2 "," $3 }
               END { if (file) print "end_of_record" }' > "$out"
