#!/bin/sh
# Runs the benchmarks of single rooms and prints one line for each: bench.sh [--filter REGEX].
set -eu
cd "$(dirname "$0")/../Benchmarks"
output=.build/results
mkdir -p "$output"
rm -f "$output"/*.json
swift package --allow-writing-to-directory "$output" \
    benchmark --format jmh --path "$output" --no-progress "$@" >"$output/log" 2>&1 ||
    { cat "$output/log" >&2; exit 1; }
./summary "$output"/*.jmh.json
