#!/bin/sh
# Builds the release binary of the image: docker/Dockerfile runs this, and so can any Debian 12
# machine with Swift.
#   scripts/image-build.sh OUTPUT
set -eu
output="${1:?where the binary goes}"
cd "$(dirname "$0")/.."
sh scripts/setup.sh
swift build -c release --static-swift-stdlib --product joulegate
install -D -m 755 .build/release/joulegate "$output"
strip "$output"
