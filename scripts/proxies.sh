#!/bin/sh
# Put nginx, Caddy and HAProxy, which the tests of the proxies' examples run, into a folder. Nothing is installed or started.
# Usage: scripts/proxies.sh FOLDER
set -eu

here=$(cd "$(dirname "$0")" && pwd)
. "$here/debian.sh"

mkdir -p "$1"
cd "$1"
rm -rf bin

# Those that Debian and Ubuntu have. Elsewhere the tests use what is installed, or are skipped.
have_debian || exit 0
fetch nginx caddy haproxy || { refresh_lists && fetch nginx caddy haproxy; } || exit 0
for proxy in usr/sbin/nginx usr/bin/caddy usr/sbin/haproxy; do
    put_program "$proxy" || echo "make test: no libraries for $proxy; its tests are skipped" >&2
done
