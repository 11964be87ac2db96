#!/bin/sh
# Makes a Python environment from a list of packages of PyPI, by name. Without a list: that of the
# integration tests, clients and reference implementations.
set -eu
venv="${1:-.venv}"
list="${2:-$(dirname "$0")/requirements.txt}"
[ -x "$venv/bin/python" ] || python3 -m venv "$venv"
stamp="$venv/.stamp-$(cksum < "$list" | cut -d' ' -f1)"
[ -e "$stamp" ] && exit 0
"$venv/bin/pip" install -q --disable-pip-version-check -r "$list"
touch "$stamp"
