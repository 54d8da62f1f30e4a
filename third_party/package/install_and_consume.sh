#!/bin/sh
# usage: install_and_consume.sh INSTALL_FILES CONSUMERS_TEST CAPTURE
# Where it cannot be installed that is said, and nothing is written; once more is the same as once.
set -eu
tree=$TEST_TMPDIR/tree

refused() { # DESTDIR ARGUMENT...
  destdir=$1
  shift
  if DESTDIR=$destdir "$install_files" "$@" 2>"$TEST_TMPDIR/said"; then
    echo "DESTDIR=$destdir $*: is not refused" >&2
    exit 1
  fi
  grep -q '^usage: ' "$TEST_TMPDIR/said"
}
install_files=$PWD/$1
(
  mkdir "$TEST_TMPDIR/elsewhere"
  cd "$TEST_TMPDIR/elsewhere"
  refused "$tree"
  refused "$tree" usr
  refused "$tree" --help
  refused tree /usr
  refused "$tree" /usr /usr/lib
  refused "$tree" /usr ../lib
  refused "$tree" /usr lib more
  [ -z "$(ls -A)" ] && [ ! -e "$tree" ]
)

installed() { (cd "$tree" && find . ! -type d -exec ls -ld --time-style=+ {} + && find . -type f -exec cksum {} +); }
export DESTDIR="$tree"
"$1" /usr lib/x86_64-linux-gnu
once=$(installed)
"$1" /usr/ lib/x86_64-linux-gnu
[ "$(installed)" = "$once" ]
"$2" "$DESTDIR/usr" "$DESTDIR/usr/bin/migstream" "$3" lib/x86_64-linux-gnu
