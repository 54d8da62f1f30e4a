#!/bin/sh
# usage: interface_test.sh MADE KEPT
# The crate's declarations are what the headers say.
diff "$1" "$2" || {
  echo 'bazel build //codec/c:interface.rs and copy it to rust/migstream-sys/src'
  exit 1
}
