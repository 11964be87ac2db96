#!/bin/sh
# Makes the Python environment of the integration tests: clients and reference implementations
# from PyPI, by name.
set -eu
venv="${1:-.venv}"
[ -x "$venv/bin/python" ] || python3 -m venv "$venv"
stamp="$venv/.stamp-$(cksum < "$(dirname "$0")/requirements.txt" | cut -d' ' -f1)"
[ -e "$stamp" ] && exit 0
"$venv/bin/pip" install -q --disable-pip-version-check -r "$(dirname "$0")/requirements.txt"
touch "$stamp"
