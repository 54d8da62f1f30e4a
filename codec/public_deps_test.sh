#!/bin/sh
# usage: public_deps_test.sh {TARGET REPOSITORY,... LABELS}...
# Whether the labels in the file LABELS are of these repositories and of no others.
status=0
while [ $# -ge 3 ]; do
  found=$(sed -n 's|^@\([^/]*\)//.*|\1|p' "$3" | LC_ALL=C sort -u | paste -s -d, -)
  if [ "${found:-none}" != "$2" ]; then
    echo "$1 needs ${found:-none}; codec/public_deps.bzl says $2"
    status=1
  fi
  shift 3
done
exit $status
