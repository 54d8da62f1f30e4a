#!/bin/sh
# Installs the Debian packages that the build and the tests need, and are missing.
# Says nothing when all are there. Run as root, or read what it says is lacking.
set -eu

# The sanitizers of the release's own clang.
clang_rt=
[ ! -r /etc/os-release ] || case $(. /etc/os-release && echo "${ID:-} ${VERSION_ID:-}") in
  'debian 12') clang_rt=libclang-rt-14-dev ;;
  'debian 13') clang_rt=libclang-rt-19-dev ;;
esac
if [ -z "$clang_rt" ]; then
  echo "$0: knows the packages of Debian 12 and 13 only" >&2
  exit 1
fi

packages="
  bazel-bootstrap g++ clang clang-format clang-tidy lld $clang_rt llvm pkgconf jq valgrind
  libabsl-dev libprotobuf-dev protobuf-compiler libssl-dev libzstd-dev
  libbz2-dev liblzma-dev zlib1g-dev rapidjson-dev
  libbenchmark-dev libgtest-dev libgmock-dev groff-base
  qemu-system-x86 seabios ipxe-qemu python3 abigail-tools
"

missing=
for package in $packages; do
  state=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null) || state=
  [ "$state" = installed ] || missing="$missing $package"
done
[ -n "$missing" ] || exit 0

if [ "$(id -u)" -ne 0 ]; then
  echo "$0: these packages are missing; as root: apt-get install$missing" >&2
  exit 1
fi

log=$(mktemp)
trap 'rm -f "$log"' EXIT
export DEBIAN_FRONTEND=noninteractive
# shellcheck disable=SC2086
if ! { apt-get update && apt-get install -y --no-install-recommends $missing; } >"$log" 2>&1; then
  cat "$log" >&2
  echo "$0: could not install$missing" >&2
  exit 1
fi
