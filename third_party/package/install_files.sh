#!/bin/sh
# usage: bazel run -c opt //:install -- PREFIX
#        bazel run -c opt //:install -- PREFIX lib/x86_64-linux-gnu
# Installs programs, libraries, headers, the manual page and what CMake and pkg-config read, under
# $DESTDIR/PREFIX; libraries in PREFIX/lib, or in the folder of PREFIX that is named.
set -eu
usage() {
  echo "usage: bazel run -c opt //:install -- PREFIX [LIBDIR]" >&2
  echo "PREFIX, and DESTDIR if it is set, begin with /; LIBDIR is in PREFIX" >&2
  exit 2
}
# Bazel runs this in a folder of its own, where nobody looks for what is put there.
[ $# -eq 1 ] || [ $# -eq 2 ] || usage
case $1 in /*) ;; *) usage ;; esac
case ${DESTDIR:-/} in /*) ;; *) usage ;; esac
libdir=${2:-lib}
case /$libdir/ in //* | */../*) usage ;; esac
root=${DESTDIR:-}$1
package=third_party/package
version=$(sed -n 's/^#define MIGSTREAM_VERSION "\(.*\)"/\1/p' codec/version.h)
up=$(echo "$libdir/x" | sed 's|[^/]*|..|g')

put() { # MODE FROM TO
  mkdir -p "$(dirname "$root/$3")"
  install -m "$1" "$2" "$root/$3"
}

put 755 inspect/migstream bin/migstream
put 644 inspect/migstream.1 share/man/man1/migstream.1
put 644 inspect/completion.bash share/bash-completion/completions/migstream
put 644 inspect/completion.zsh share/zsh/vendor-completions/_migstream
put 644 codec/c/python/migstream.py lib/python3/dist-packages/migstream.py
for file in Cargo.toml $(cd codec/c/rust && find migstream migstream-sys -name '*.rs' -o -name Cargo.toml); do
  put 644 "codec/c/rust/$file" "share/migstream/rust/$file"
done
for name in libmigstream libmigstream-inspect; do
  put 755 "codec/c/$name.so.1" "$libdir/$name.so.1"
  ln -sf "$name.so.1" "$root/$libdir/$name.so"
  put 644 "codec/c/$name.a" "$libdir/$name.a"
done
put 644 "$package/libmigstream-cxx.a" "$libdir/libmigstream-cxx.a"
for header in migstream.h migstream_inspect.h; do
  put 644 "codec/c/$header" "include/$header"
done
for header in $(sed -n '/MIGSTREAM_CXX_HEADERS/,/^)/p' "$package/sources.cmake" | grep '\.h$'); do
  put 644 "$header" "include/migstream/$header"
done
for template in "$package"/*.pc.in "$package"/*.cmake.in; do
  name=$(basename "$template" .in)
  case $name in
    *.pc) folder=$libdir/pkgconfig ;;
    *) folder=$libdir/cmake/migstream ;;
  esac
  filled=$(mktemp)
  sed "s|@up@|$up|; s|@libdir@|$libdir|; s|@includedir@|include|; s|@version@|$version|" \
    "$template" >"$filled"
  put 644 "$filled" "$folder/$name"
  rm -f "$filled"
done
