#!/bin/bash
# compare and table, on canned JSON: two programs that tell times beforehand.
set -eu
compare=$(realpath "$1")
table=$(realpath "$2")
cd "$TEST_TMPDIR"

# program NAME TIME...: the n-th run says that "Decode" took the n-th time.
program() {
  local name=$1
  shift
  printf '%s\n' "$@" > "$name.times"
  cat > "$name" <<END
#!/bin/bash
set -eu
for flag; do
  case \$flag in --benchmark_out=*) out=\${flag#*=} ;; esac
done
echo "$name \$*" | sed 's/--benchmark_out=[^ ]*/OUT/' >> runs
time=\$(head -n 1 $TEST_TMPDIR/$name.times)
sed -i 1d $TEST_TMPDIR/$name.times
cat > "\$out" <<JSON
{"benchmarks": [
  {"name": "Decode", "run_type": "iteration", "real_time": \$time},
  {"name": "$name", "run_type": "iteration", "real_time": 1},
  {"name": "Decode_RMS", "run_type": "aggregate", "rms": 0.1}
]}
JSON
END
  chmod +x "$name"
}

expect() {
  if ! diff -u "$1" "$2"; then
    echo "$3" >&2
    exit 1
  fi
}

program old 100 200 400
program new 50 110 240
"$compare" ./old ./new --pairs=3 -- --benchmark_filter=D > got
cat > want <<END
         B / A    least     most
Decode   55.0%    50.0%    60.0%  faster
old is in A only
new is in B only
END
expect want got "the ratio is taken pair by pair"

flags="OUT --benchmark_out_format=json --benchmark_filter=D"
for _ in 1 2 3; do printf '%s %s\n' old "$flags" new "$flags"; done > want
expect want runs "the programs run in turn"

program old 100 100
program new 90 110
"$compare" ./old ./new --pairs=2 | head -n 2 | tail -n 1 > got
echo "Decode  100.0%    90.0%   110.0%" > want
expect want got "pairs that disagree give no verdict"

cat > canned.json <<END
{"benchmarks": [
  {"name": "BM_Views/64/manual_time", "percent": 61.27, "percent_min": 59.9,
   "percent_max": 62.3, "ns_per_item": 3.741, "ceiling_ns": 2.31},
  {"name": "BM_Walk/manual_time", "percent": 1100.4, "percent_min": 94,
   "percent_max": 1200, "cpu_s_per_GiB": 0.1087, "ceiling_s": 0.1,
   "peak_MiB": 14.02},
  {"name": "BM_Growth_BigO"}
]}
END
"$table" canned.json > got
cat > want <<END
| | ns an item (ceiling) | CPU s a GiB (ceiling) | % of ceiling | least to most | |
|---|---|---|---|---|---|
| Views/64 | 3.74 (2.31) |  | 61.3 | 59.9 to 62.3 |  |
| Walk |  | 0.109 (0.1) | 1100 | 94 to 1200 | 14 MiB peak |
END
expect want got "a row for each measurement"
