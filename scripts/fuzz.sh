#!/bin/sh
# Searches for inputs that break a parser: libFuzzer with the address sanitizer.
#
#   scripts/fuzz.sh all                    every target: recorded inputs, then 30,000 new ones
#   scripts/fuzz.sh sse --runs 10000000    one target for longer
#   scripts/fuzz.sh sse crash-1234         one target on one input
#
# What it learns goes to .build-fuzz/corpus/TARGET and is used again; the repository's own inputs
# are Tests/Fuzz/corpus/TARGET and, once they were findings, Tests/Fuzz/crashes/TARGET.
set -eu
cd "$(dirname "$0")/.."

home=Tests/Fuzz
build=.build-fuzz
target=${1:?usage: scripts/fuzz.sh TARGET|all [--runs N] [--seconds N] [INPUT...]}
shift
runs=30000
seconds=0
while [ $# -gt 0 ]; do
    case $1 in
    --runs) runs=$2; shift 2 ;;
    --seconds) seconds=$2; shift 2 ;;
    *) break ;;
    esac
done

# lld: another linker warns of each of the sanitizer's symbols, which takes longer than building.
JOULEGATE_FUZZ=1 swift build -c release --scratch-path "$build" --product fuzz \
    --sanitize=fuzzer --sanitize=address -Xswiftc -use-ld=lld
# A trap's report needs no tour through the debugger, nor a search the place of each allocation.
export SWIFT_BACKTRACE=enable=no
export ASAN_OPTIONS="quarantine_size_mb=4:malloc_context_size=0:${ASAN_OPTIONS:-detect_leaks=0}"

fuzz() {
    name=$1
    shift
    if [ $# -gt 0 ]; then
        "$build/release/fuzz" "$name" "$@"
        return
    fi
    learned="$build/corpus/$name"
    found="$build/found/$name"
    mkdir -p "$learned" "$found" "$home/crashes/$name"
    dictionary="$home/dictionaries/$name.dict"
    "$build/release/fuzz" "$name" -runs="$runs" -max_total_time="$seconds" \
        -max_len="$("$build/release/fuzz" lengths | sed -n "s/^$name //p")" \
        -timeout=10 -rss_limit_mb=2048 -artifact_prefix="$found/" -print_final_stats=1 \
        ${FUZZ_SEED:+-seed=$FUZZ_SEED} -dict="$dictionary" \
        "$learned" "$home/corpus/$name" "$home/crashes/$name"
}

if [ "$target" = all ]; then
    for name in $("$build/release/fuzz" lengths | cut -d' ' -f1); do
        fuzz "$name" >"$build/$name.log" 2>&1 || {
            tail -n 60 "$build/$name.log"
            echo "fuzz: $name has a finding; its input is in $build/found/$name"
            exit 1
        }
        sed -n 's/^stat::number_of_executed_units: */'"$name"' executions: /p' "$build/$name.log"
    done
else
    fuzz "$target" "$@"
fi
