#!/bin/sh
# usage: library_test.sh LIBMIGSTREAM.so LIBMIGSTREAM.a INSPECT.so INSPECT.a COMPILATION_MODE
# What the libraries show, what they need, how large what a VMM loads is, and that neither meets the
# program's own C++.
status=0
fail() {
  echo "$*"
  status=1
}

for library in "$1" "$3"; do
  # A version is a symbol of its own, absolute.
  others=$(nm -D --defined-only "$library" | awk '$2 != "A" && $3 !~ /^migstream_/')
  [ -z "$others" ] || fail "$library exports: $others"
done
for library in "$2" "$4"; do
  others=$(nm -g --defined-only "$library" 2>/dev/null | awk 'NF == 3 && $3 !~ /^migstream_/')
  [ -z "$others" ] || fail "$library shows: $others"
done

needed() {
  readelf -d "$1" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p'
}
others=$(needed "$1" | grep -vE '^lib(c|m|stdc\+\+|gcc_s)\.so\.[0-9]+$')
[ -z "$others" ] || fail "$1 needs: $others"
# libc's loader has the thread-local variables by which protobuf makes a descriptor once.
others=$(needed "$3" | grep -vE \
  '^(lib(c|m|stdc\+\+|gcc_s|absl_.*|protobuf|z|zstd|bz2|lzma)|ld-linux-x86-64)\.so\.[0-9.]+$')
[ -z "$others" ] || fail "$3 needs: $others"
for library in "$1" "$3"; do
  name=$(readelf -d "$library" | sed -n 's/.*(SONAME).*\[\(.*\)\]/\1/p')
  [ "$name" = "$(basename "$library")" ] || fail "$library is called $name"
done

# Nothing of it comes by the program's operator new, or from libstdc++'s std::string.
for library in "$1" "$2"; do
  others=$(nm -u -C "$library" 2>/dev/null | grep -E 'operator (new|delete)|std::.*basic_string')
  [ -z "$others" ] || fail "$library takes memory by: $others"
done
# Bytes of code and data, without what strip(1) takes away.
case $5 in
  opt) most=614400 ;;
  *) most=1703936 ;;
esac
bytes=$(size "$1" | awk 'NR == 2 { print $4 }')
[ "$bytes" -le "$most" ] || fail "$1 has $bytes bytes, more than $most"
exit $status
