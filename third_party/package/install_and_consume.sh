#!/bin/sh
# usage: install_and_consume.sh INSTALL_FILES CONSUMERS_TEST CAPTURE
set -eu
export DESTDIR="$TEST_TMPDIR/tree"
"$1" /usr lib/x86_64-linux-gnu
"$2" "$DESTDIR/usr" "$DESTDIR/usr/bin/migstream" "$3" lib/x86_64-linux-gnu
