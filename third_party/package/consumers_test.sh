#!/bin/sh
# usage: consumers_test.sh PREFIX PROGRAM CAPTURE [LIBDIR]
# Builds programs against what is installed in PREFIX, by each way that it is installed for, and has
# each decode CAPTURE, as PROGRAM, which is migstream, does, and save and load a device. Where Meson,
# CMake, rustc or Python is not there, its part is left out.
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
# shellcheck disable=SC2046,SC2086
{
  cc -std=c11 $strict -o c11 "$sources/decode.c" $c
  g++ -std=c++17 $strict -o cxx17 -x c++ "$sources/decode.c" $c
  cc -std=c11 $strict -o c11_static "$sources/decode.c" $(pkg-config --cflags migstream) \
    "$prefix/$libdir/libmigstream.a" -lstdc++ -lm
  g++ -std=c++20 $strict -o cxx20 "$sources/decode.cc" $cxx
  cc -std=c11 $strict -o session_c11 "$sources/session.c" $c
  g++ -std=c++17 $strict -o session_cxx17 -x c++ "$sources/session.c" $c
  g++ -std=c++20 $strict -o session_cxx20 "$sources/session.cc" $cxx
  foreign=$(g++ -std=c++20 -M "$sources/decode.cc" $cxx | grep -E 'absl|google|rapidjson' || true)
}
for program in c11 cxx17 c11_static cxx20; do expect "$program" "./$program"; done
moves() { # WHAT COMMAND...
  what=$1
  shift
  "$@" || {
    echo "$what: a device does not come back from its stream" >&2
    exit 1
  }
  echo "$what: saves and loads"
}
for program in c11 cxx17 cxx20; do moves "$program" "./session_$program"; done
if [ -e "$prefix/$libdir/libmigstream-inspect.so.1" ]; then
  # shellcheck disable=SC2046,SC2086
  cc -std=c11 $strict -o inspect "$sources/inspect.c" \
    $(pkg-config --cflags --libs migstream-inspect)
  # The same bytes as the program prints.
  "$2" inspect stream --format=json >report
  ./inspect stream | diff -q - report || {
    echo "inspect: another report than $2 inspect --format=json" >&2
    exit 1
  }
  echo "inspect: reports"
  # Its archive stands on libraries that need not be there.
  if pkg-config --exists migstream-inspect-static; then
    # shellcheck disable=SC2046,SC2086
    cc -std=c11 $strict -o inspect_static "$sources/inspect.c" \
      $(pkg-config --cflags --libs migstream-inspect-static)
    ./inspect_static stream | diff -q - report
    echo "inspect, static: reports"
  fi
  if command -v python3 >/dev/null; then
    found=$(PYTHONPATH=$prefix/lib/python3/dist-packages python3 "$sources/session.py" stream "$device")
    [ "$found" = "$expected" ] || {
      echo "python: $found bytes of payload, not $expected" >&2
      exit 1
    }
    echo "python: decodes, saves and loads"
  else
    echo "python: left out, it is not installed"
  fi
  if command -v rustc >/dev/null && rustc --version >/dev/null 2>&1; then
    crates=$prefix/share/migstream/rust
    inspect='feature="inspect"'
    link="--extern migstream=libmigstream.rlib -L . -L $prefix/$libdir"
    rustc --edition 2018 --crate-type rlib --crate-name migstream_sys \
      -l migstream -l migstream-inspect "$crates/migstream-sys/src/lib.rs"
    rustc --edition 2018 --crate-type rlib --crate-name migstream --cfg "$inspect" \
      --extern migstream_sys=libmigstream_sys.rlib "$crates/migstream/src/lib.rs"
    # shellcheck disable=SC2086
    rustc --edition 2018 $link -o rust_decode "$sources/decode.rs"
    found=$(./rust_decode stream "$device")
    [ "$found" = "$expected" ] || {
      echo "rust: $found bytes of payload, not $expected" >&2
      exit 1
    }
    echo "rust: decodes"
    # shellcheck disable=SC2086
    rustc --edition 2018 --test --cfg "$inspect" $link -o rust_session \
      "$crates/migstream/tests/migration.rs"
    moves rust ./rust_session --quiet
  else
    echo "rust: left out, rustc is not installed"
  fi
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
  for program in session_c session_cxx; do moves "$way $program" "$way/$program"; done
done
