#!/bin/sh
# usage: sources_test.sh CHECKED_IN WRITTEN
diff -u "$1" "$2" || {
  sed -n '2,3s/^# *//p' "$1"
  exit 1
}
