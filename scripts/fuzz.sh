#!/bin/sh
# Searches for inputs that break a parser, with libFuzzer.
#
#   scripts/fuzz.sh all                    every target: recorded inputs, then 30,000 new ones
#   scripts/fuzz.sh sse --runs 10000000    one target for longer
#   scripts/fuzz.sh sse FILE               one target on one input
#
# What it learns goes to .build-fuzz/corpus/TARGET and is used again; the repository's own inputs
# are Tests/Fuzz/corpus/TARGET and, once they were findings, Tests/Fuzz/crashes/TARGET. A new
# finding's input lies in .build-fuzz/found/TARGET.
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

# Only the rooms with parsers are built, optimised, but with every check that a debug build makes:
# of bounds, of overflow, of preconditions. lld: another linker warns of each of the fuzzer's
# symbols, which takes longer than building.
mkdir -p "$build"
echo "fuzz: building"
started=$(date +%s)
JOULEGATE_FUZZ=1 swift build -c release --scratch-path "$build" --product fuzz \
    --sanitize=fuzzer -Xswiftc -use-ld=lld -Xswiftc -assert-config -Xswiftc Debug \
    >"$build/build.log" 2>&1 || {
    cat "$build/build.log"
    exit 1
}
echo "fuzz: built in $(($(date +%s) - started)) s"
# A trap's report needs no tour through the debugger.
export SWIFT_BACKTRACE=enable=no

fuzz() {
    name=$1
    shift
    if [ $# -gt 0 ]; then
        "$build/release/fuzz" "$name" "$@"
        return
    fi
    mkdir -p "$build/corpus/$name" "$build/found/$name"
    recorded="$home/corpus/$name"
    [ ! -d "$home/crashes/$name" ] || recorded="$recorded $home/crashes/$name"
    # shellcheck disable=SC2086
    "$build/release/fuzz" "$name" -runs="$runs" -max_total_time="$seconds" \
        -max_len="$("$build/release/fuzz" lengths | sed -n "s/^$name //p")" \
        -timeout=10 -rss_limit_mb=2048 -artifact_prefix="$build/found/$name/" \
        -print_final_stats=1 ${FUZZ_SEED:+-seed=$FUZZ_SEED} \
        -dict="$home/dictionaries/$name.dict" "$build/corpus/$name" $recorded
}

if [ "$target" != all ]; then
    fuzz "$target" "$@"
    exit
fi
for name in $("$build/release/fuzz" lengths | cut -d' ' -f1); do
    fuzz "$name" >"$build/$name.log" 2>&1 || {
        tail -n 60 "$build/$name.log"
        echo "fuzz: $name has a finding; its input is in $build/found/$name"
        exit 1
    }
    awk -v name="$name" '/^stat::number_of_executed_units/ { runs = $2 }
        /^stat::average_exec_per_sec/ { rate = $2 }
        END { printf "fuzz: %s: %d executions, %d per second\n", name, runs, rate }' \
        "$build/$name.log"
done
