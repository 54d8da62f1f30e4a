#!/bin/sh
# usage: abi_test.sh {LIBRARY.a LIBRARY.map LIBRARY.abi}... -- LIBMIGSTREAM.so.1 PROGRAM.c
#        abi_test.sh --write {LIBRARY.a LIBRARY.map LIBRARY.abi}...
# Whether the interface is still what its .abi says, or more: abidiff's word. A program that is built
# against the symbols of the first .abi, and nothing else, must run with the library of today. Of
# something that is new, or with --write, the .abi is to be written again, on purpose.
set -eu
write=
if [ "$1" = --write ]; then write=yes; shift; fi
if ! command -v abidw >/dev/null; then
  echo 'skipped: there is no abidw (Debian: abigail-tools)'
  exit 0
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
headers=$(dirname "$0")
mkdir "$work/headers"
cp -L "$headers/migstream.h" "$headers/migstream_inspect.h" "$work/headers"
status=0
first=
while [ $# -ge 3 ] && [ "$1" != -- ]; do
  name=$(basename "$3" .abi)
  # With what its objects tell of types, which a linked library has lost.
  gcc -shared -o "$work/$name.so.1" -Wl,-soname,"$name.so.1" -Wl,--version-script="$2" \
    -Wl,--whole-archive "$1" -Wl,--no-whole-archive -lstdc++
  abidw --headers-dir "$work/headers" --drop-private-types --no-show-locs --no-corpus-path \
    --no-comp-dir-path --no-architecture --no-parameter-names --exported-interfaces-only \
    --out-file "$work/$name.abi" "$work/$name.so.1"
  if [ -n "$write" ]; then
    cp "$work/$name.abi" "$3"
  elif ! abidiff "$3" "$work/$name.abi"; then
    echo "$name: the interface is not that of $3: see above, and --write"
    status=1
  fi
  : "${first:=$3}"
  shift 3
done
[ -z "$write" ] || exit 0

shift
sed -n "s/.*<elf-symbol name='\([^']*\)' version='\([^']*\)'.*type='func-type'.*/\1/p" "$first" |
  sort -u >"$work/names"
[ -s "$work/names" ] || { echo "$first names no function"; exit 1; }
sed 's/.*/void &(void); void &(void) {}/' "$work/names" >"$work/stub.c"
version=$(sed -n "s/.*<elf-symbol name='[^']*' version='\([^']*\)'.*/\1/p" "$first" | head -n1)
echo "$version { global: migstream_*; local: *; };" >"$work/stub.map"
mkdir "$work/stub" "$work/today"
gcc -shared -o "$work/stub/libmigstream.so.1" -Wl,-soname,libmigstream.so.1 \
  -Wl,--version-script="$work/stub.map" "$work/stub.c"
gcc -std=c11 -I. -o "$work/program" "$2" "$work/stub/libmigstream.so.1"
cp -L "$1" "$work/today/libmigstream.so.1"
LD_LIBRARY_PATH=$work/today "$work/program" || {
  echo 'a program that was built against the first release fails with this one'
  status=1
}
exit $status
