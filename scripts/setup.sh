#!/bin/sh
# Installs what a Debian machine with Swift and git still lacks to build and test joulegate.
# Does nothing where everything is there. With --peers: the programs that the integration tests
# and the load tests talk to as well. With --llm: what the real model of `make demo-llm` needs.
set -eu

packages="libnghttp2-dev libssl-dev pkg-config make"
case "${1:-}" in
--peers) packages="$packages curl nghttp2-client haproxy python3 python3-venv" ;;
--llm) packages="$packages python3 python3-venv libgomp1 util-linux" ;;
esac

missing=""
for package in $packages; do
    dpkg -s "$package" >/dev/null 2>&1 || missing="$missing $package"
done
[ -z "$missing" ] && exit 0

sudo=""
[ "$(id -u)" = 0 ] || sudo="sudo"
echo "setup: installing$missing"
$sudo env DEBIAN_FRONTEND=noninteractive apt-get update -qq
$sudo env DEBIAN_FRONTEND=noninteractive \
    apt-get install -y -qq --no-install-recommends $missing >/dev/null
