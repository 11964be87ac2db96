#!/bin/sh
# The demo with a real model server in its arm pool: a llama-server with a 135-million-parameter
# model on one thread of this machine's processor.
#   scripts/demo-llm.sh JOULEGATE [options of `joulegate demo`, such as --seconds 20]
set -eu
here="$(dirname "$0")"
joulegate="${1:-.build/release/joulegate}"
[ $# -eq 0 ] || shift
port=8131
venv=run/llm-venv
log=run/llama-server.log
mkdir -p run

if ! grep -qw avx512f /proc/cpuinfo 2>/dev/null; then
    echo "demo-llm: this llama-server was compiled for x86-64 processors with AVX-512, which" >&2
    echo "this one lacks. \`make demo\` runs everywhere." >&2
    exit 1
fi
sh "$here/setup.sh" --llm
files="$(sh "$here/llm-venv.sh" "$venv")"
program="$(echo "$files" | sed -n 1p)"
model="$(echo "$files" | sed -n 2p)"

health() {
    "$venv/bin/python" - "$port" 2>/dev/null <<'END'
import sys, urllib.request
urllib.request.urlopen(f"http://127.0.0.1:{sys.argv[1]}/health", timeout=2)
END
}

if health; then
    echo "demo-llm: port $port is taken by another model server" >&2
    exit 1
fi
# 4,096 tokens for each of four requests: the demo asks for summaries of up to 3,000. In a session
# of its own, so that Ctrl-C drains the gateway before the model server goes.
LD_LIBRARY_PATH="$(dirname "$program")" setsid "$program" -m "$model" --alias smollm2-135m \
    --host 127.0.0.1 --port "$port" -t 1 -c 16384 -np 4 --metrics --device none --offline \
    >"$log" 2>&1 </dev/null &
server=$!
trap 'kill "$server" 2>/dev/null || true; wait "$server" 2>/dev/null || true' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

waited=0
until health; do
    if ! kill -0 "$server" 2>/dev/null || [ "$waited" -ge 60 ]; then
        echo "demo-llm: the llama-server does not come up; the end of $log:" >&2
        tail -n 5 "$log" >&2
        exit 1
    fi
    sleep 1
    waited=$((waited + 1))
done

sed "s/127\.0\.0\.1:8131/127.0.0.1:$port/" Config/demo-llm.yaml >run/demo-llm.yaml
cat <<END
A real SmolLM2-135M answers in pool arm, and alone for model smollm2:
  curl -N http://127.0.0.1:30000/v1/chat/completions \\
    -d '{"model":"smollm2","stream":true,"max_tokens":80,\\
"messages":[{"role":"user","content":"What is a gateway?"}]}'

END
"$joulegate" demo --config run/demo-llm.yaml --real-pool arm "$@"
