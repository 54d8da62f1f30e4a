#!/bin/sh
# usage: consumers_test.sh PREFIX PROGRAM CAPTURE [LIBDIR]
# Builds programs against what is installed in PREFIX, by each way that it is installed for, and has
# each decode CAPTURE, as PROGRAM, which is migstream, does. Where Meson or CMake is not there, its
# part is left out.
set -eu
prefix=$(cd "$1" && pwd)
libdir=${4:-lib}
sources=$(cd "$(dirname "$0")/consumers" && pwd -P)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export PKG_CONFIG_PATH="$prefix/$libdir/pkgconfig" LD_LIBRARY_PATH="$prefix/$libdir"
export CMAKE_PREFIX_PATH="$prefix"

"$2" repack "$3" -o "$work/stream"
device=$("$2" inspect "$3" --format=json |
  sed -n 's/.*"idstr": "\(.*\/vfio\)".*/\1/p' | head -n 1)
"$2" extract "$3" --device="$device" -o "$work/payload"
cd "$work"
expected=$(wc -c <payload)
[ "$expected" -gt 0 ]

expect() { # WHAT COMMAND...
  what=$1
  shift
  found=$("$@" stream) || found="exit status $?, $found"
  [ "$found" = "$expected" ] || {
    echo "$what: $found bytes of payload, not $expected" >&2
    exit 1
  }
  echo "$what: decodes"
}

strict='-Wall -Wextra -Werror -pedantic'
c=$(pkg-config --cflags --libs migstream)
cxx=$(pkg-config --cflags --libs migstream-cxx)
# shellcheck disable=SC2086
{
  cc -std=c11 $strict -o c11 "$sources/decode.c" $c
  g++ -std=c++17 $strict -o cxx17 -x c++ "$sources/decode.c" $c
  cc -std=c11 $strict -o c11_static "$sources/decode.c" ${c%%-L*} \
    "$prefix/$libdir/libmigstream.a" -lstdc++ -lm
  g++ -std=c++20 $strict -o cxx20 "$sources/decode.cc" $cxx
  foreign=$(g++ -std=c++20 -M "$sources/decode.cc" $cxx | grep -E 'absl|google|rapidjson' || true)
}
for program in c11 cxx17 c11_static cxx20; do expect "$program" "./$program"; done
if [ -e "$prefix/$libdir/libmigstream-inspect.so.1" ]; then
  # shellcheck disable=SC2046,SC2086
  cc -std=c11 $strict -o inspect "$sources/inspect.c" \
    $(pkg-config --cflags --libs migstream-inspect)
  ./inspect stream | grep -q "\"$device\"" || {
    echo "inspect: no $device" >&2
    exit 1
  }
  echo "inspect: finds the device"
fi
[ -z "$foreign" ] || {
  echo "the C++ headers bring along $foreign" >&2
  exit 1
}
foreign=$(readelf -d "$prefix/$libdir/libmigstream.so.1" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p' |
  grep -vE '^(libc|libm|libstdc\+\+|libgcc_s)\.so|^ld-linux' || true)
[ -z "$foreign" ] || {
  echo "libmigstream needs $foreign" >&2
  exit 1
}
for library in "$prefix/$libdir"/libmigstream*.so.1; do
  foreign=$(nm -D --defined-only "$library" | awk '{ print $3 }' | grep -vE '^(migstream|MIGSTREAM)_' || true)
  [ -z "$foreign" ] || {
    echo "$library exports $foreign" >&2
    exit 1
  }
done

for way in cmake meson; do
  if ! command -v "$way" >/dev/null; then
    echo "$way: left out, it is not installed"
    continue
  fi
  case $way in
    cmake) cmake -S "$sources" -B "$way" && cmake --build "$way" ;;
    meson) meson setup "$way" "$sources" && meson compile -C "$way" ;;
  esac >"$way.log" 2>&1 || {
    cat "$way.log" >&2
    exit 1
  }
  for program in decode_c decode_cxx; do expect "$way $program" "$way/$program"; done
done
