#!/bin/sh
# Builds every fuzz target as OSS-Fuzz and ClusterFuzzLite do: with $CC, $CXX,
# $CFLAGS, $CXXFLAGS and $LIB_FUZZING_ENGINE, into $OUT, with a seed corpus, a
# dictionary and options beside each. Without all but $OUT it is clang's libFuzzer, ASan
# and UBSan:
#
#   OUT=/tmp/out fuzz/oss_fuzz_build.sh && /tmp/out/section_fuzz
#
# The build needs the packages of third_party/install.sh. Their shared libraries
# are copied to $OUT/lib, since a machine that only fuzzes has none of them.
set -eu
: "${OUT:?the folder to build into}"
: "${CC:=clang}"
: "${LIB_FUZZING_ENGINE:=-fsanitize=fuzzer}"
mkdir -p "$OUT/lib"
OUT=$(cd "$OUT" && pwd)
cd "$(dirname "$0")/.."

# Each flag of a variable as an option of Bazel's.
options() {
  option=$1
  shift
  for flag in "$@"; do
    printf '%s=%s\n' "$option" "$flag"
  done
}
if [ -z "${CFLAGS+set}" ]; then
  # What clang's libFuzzer wants, with the objects of `bazel test --config=fuzz`,
  # which has this option in the same place.
  set -- --copt=-D_GLIBCXX_ASSERTIONS --config=fuzz
else
  # shellcheck disable=SC2086,SC2046
  set -- --platform_suffix=-engine --strip=never \
    --repo_env=CC="$CC" --repo_env=CXX="${CXX:=clang++}" \
    $(options --conlyopt $CFLAGS) $(options --cxxopt ${CXXFLAGS:=$CFLAGS}) \
    --cxxopt=-fno-sanitize=pointer-overflow \
    $(options --linkopt $CXXFLAGS) --linkopt=-fsanitize-link-c++-runtime
fi
# shellcheck disable=SC2046,SC2086
set -- "$@" --define=fuzzer=other "--linkopt=-Wl,-rpath,\$ORIGIN/lib" \
  $(options --linkopt $LIB_FUZZING_ENGINE)

targets=$(bazel query --noshow_progress 'filter("_fuzz$", kind(cc_test, //fuzz:all))')
# shellcheck disable=SC2086
bazel build --noshow_progress "$@" $targets
bin=$(bazel info --noshow_progress "$@" bazel-bin)

for target in $targets; do
  name=${target##*:}
  cp -f "$bin/fuzz/$name" "$OUT/"
  ldd "$bin/fuzz/$name" | awk '$3 ~ /^\// && $1 !~ /^(libc|libm|libdl|librt|libpthread)\./ { print $3 }' |
    xargs -r cp -fLt "$OUT/lib"
  rm -f "$OUT/${name}_seed_corpus.zip"
  [ ! -d "fuzz/corpus/$name" ] ||
    (cd "fuzz/corpus/$name" && python3 -m zipfile -c "$OUT/${name}_seed_corpus.zip" ./*)
  case $name in
    section_fuzz | roundtrip_fuzz | config_fuzz | differential_fuzz) dictionary=section ;;
    c_fuzz | c_walk_fuzz | stream_fuzz | report_fuzz | description_fuzz | input_fuzz | load_session_fuzz)
      dictionary=stream ;;
    payload_fuzz) dictionary=payload ;;
    *) dictionary= ;;
  esac
  [ -z "$dictionary" ] || cp -f "fuzz/$dictionary.dict" "$OUT/$name.dict"
  # Where a run covers as much as a whole migration does, libFuzzer's counting of
  # rare features takes half of the time.
  case $name in
    recipe_fuzz | repack_fuzz)
      printf '[libfuzzer]\nentropic = 0\n' >"$OUT/$name.options"
      ;;
  esac
done
