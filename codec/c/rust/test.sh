#!/bin/sh
# usage: test.sh CARGO.toml LIBMIGSTREAM.so.1 INSPECT.so.1 CAPTURE README.md
# The crates' own tests, with no crate of others, and README's example compiled. Skipped where there is no cargo.
set -eu
cargo=$(command -v cargo || true)
if [ -z "$cargo" ] || ! cargo --version >/dev/null 2>&1; then
  echo 'skipped: there is no cargo'
  exit 0
fi
here=$PWD
work=${TEST_TMPDIR:-$(mktemp -d)}
cp -rL "$(dirname "$1")" "$work/rust"
mkdir -p "$work/lib" "$work/home"
for library in "$2" "$3"; do
  name=$(basename "$library")
  cp -L "$library" "$work/lib/$name"
  ln -sf "$name" "$work/lib/${name%.1}"
done
mkdir -p "$work/rust/migstream/examples"
{
  sed -n '/^```rust$/,/^```$/p' "$5" | sed '/^```/d'
  echo 'fn main() {}'
} >"$work/rust/migstream/examples/readme.rs"
cd "$work/rust"
MIGSTREAM_CAPTURE=$here/$4 MIGSTREAM_LIB_DIR=$work/lib LD_LIBRARY_PATH=$work/lib \
  CARGO_HOME=$work/home CARGO_NET_OFFLINE=true CARGO_TARGET_DIR=$work/target \
  cargo test --offline --jobs 1
