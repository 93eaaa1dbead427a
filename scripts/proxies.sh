#!/bin/sh
# Put nginx and Caddy, which the tests of the proxies' examples run, into a folder. Nothing is installed or started.
# Usage: scripts/proxies.sh FOLDER
set -eu

folder=$1
mkdir -p "$folder"
cd "$folder"

# Those that Debian and Ubuntu have. Elsewhere the tests use what is installed, or are skipped.
command -v apt-get >/dev/null && command -v dpkg-deb >/dev/null || exit 0

fetch() {
    apt-get download -qq nginx caddy 2>/dev/null
}

fetch || { [ "$(id -u)" = 0 ] && apt-get update -qq && fetch; } >/dev/null 2>&1 || exit 0

for package in *.deb; do
    dpkg-deb --extract "$package" .
    rm "$package"
done
