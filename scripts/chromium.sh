#!/bin/sh
# Put Chromium, which the tests of the web admin look at pages with, into a folder, as bin/chromium. On Debian, root
# has it installed, with a font; nobody else can, as it needs a hundred libraries.
# Usage: scripts/chromium.sh FOLDER
set -eu

mkdir -p "$1/bin"
cd "$1"
rm -f bin/chromium

from_system() {
    for name in chromium chromium-browser google-chrome-stable google-chrome; do
        if installed=$(command -v "$name") && "$installed" --version >/dev/null 2>&1; then
            ln -sf "$installed" bin/chromium
            return 0
        fi
    done
    return 1
}

has_fonts() {
    command -v fc-list >/dev/null && fc-list 2>/dev/null | grep -qi 'sans'
}

can_install() {
    [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null
}

install() {
    set -- -qq -o Acquire::Retries=1 -o Acquire::http::Timeout=20 --no-install-recommends "$@"
    DEBIAN_FRONTEND=noninteractive apt-get install --yes "$@" >/dev/null 2>&1
}

# A new machine has no lists of packages yet.
install_or_refresh() {
    install "$@" || { apt-get update -qq >/dev/null 2>&1 && install "$@"; }
}

# Debian's fonts-dejavu-core and fontconfig: without any font, pages show boxes.
{ has_fonts && from_system; } || { can_install && install_or_refresh chromium fontconfig fonts-dejavu-core; } || true
from_system || {
    echo "make test: no Chromium: neither chromium nor google-chrome is installed, and only root can have it installed;" \
        "on Debian: sudo apt-get install chromium fonts-dejavu-core" >&2
    exit 1
}
