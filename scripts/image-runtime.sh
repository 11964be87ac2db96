#!/bin/sh
# Puts together what the image holds: the binary, the libraries that it loads, certificates, a
# user. No shell, no package manager. docker/Dockerfile runs this as root in a Debian 12 stage,
# and so can any Debian 12 tree.
#   scripts/image-runtime.sh BINARY PROFILES TREE
set -eu
binary="${1:?the joulegate binary}"
profiles="${2:?the folder of profiles}"
tree="${3:?where the image's files go}"

# Debian's 1.52.0 carries the fixes against resets and continuations without end from this
# revision on; joulegate does not start without them.
least=1.52.0-1+deb12u3

export DEBIAN_FRONTEND=noninteractive
apt-get update -qq
apt-get install -y -qq --no-install-recommends \
    ca-certificates libnghttp2-14 libssl3 libstdc++6 libgcc-s1 >/dev/null
found="$(dpkg-query -W -f '${Version}' libnghttp2-14)"
if dpkg --compare-versions "$found" lt "$least"; then
    echo "image-runtime: libnghttp2-14 is $found, but $least or newer is needed" >&2
    exit 1
fi

# Libraries under the names that the loader looks for.
install -D -m 755 "$binary" "$tree/usr/bin/joulegate"
ldd "$binary" | grep -o '/[^ ]*' | sort -u | while read -r library; do
    install -D -m 755 "$(readlink -f "$library")" "$tree$library"
done
install -D -m 644 /etc/ssl/certs/ca-certificates.crt "$tree/etc/ssl/certs/ca-certificates.crt"
# Where OpenSSL looks when no ca_certificate is configured.
mkdir -p "$tree/usr/lib/ssl"
ln -sf /etc/ssl/certs/ca-certificates.crt "$tree/usr/lib/ssl/cert.pem"

echo 'joulegate:x:10001:10001::/nonexistent:/usr/sbin/nologin' >"$tree/etc/passwd"
echo 'joulegate:x:10001:' >"$tree/etc/group"
echo 'hosts: files dns' >"$tree/etc/nsswitch.conf"
mkdir -p "$tree/etc/joulegate/profiles"
install -m 644 "$profiles"/*.json "$tree/etc/joulegate/profiles/"

# For scanners: which packages these files are from.
mkdir -p "$tree/var/lib/dpkg/status.d"
for package in ca-certificates libc6 libgcc-s1 libnghttp2-14 libssl3 libstdc++6; do
    dpkg-query -s "$package" >"$tree/var/lib/dpkg/status.d/$package"
done
mkdir -p "$tree/tmp" "$tree/proc" "$tree/dev"
chmod 1777 "$tree/tmp"
