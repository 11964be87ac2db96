#!/bin/sh
# Runs the benchmarks of single rooms and prints one line for each: bench.sh [--filter REGEX].
# With BENCH_COUNTS=1 it counts allocations and reference counting instead of taking times.
set -eu
cd "$(dirname "$0")/../Benchmarks"
scratch=.build
[ "${BENCH_COUNTS:-}" = 1 ] && scratch=.build-counts
output="$scratch/results"
mkdir -p "$output"
rm -f "$output"/*.json
swift package --scratch-path "$scratch" --allow-writing-to-directory "$output" \
    benchmark --format jmh --path "$output" --no-progress "$@" >"$output/log" 2>&1 ||
    { cat "$output/log" >&2; exit 1; }
./summary "$output"/*.jmh.json
