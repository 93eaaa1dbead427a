# Functions for scripts that unpack Debian's packages into the current folder, read with `.`. Nothing is installed.
# Programs are left in bin/, as scripts that start them with the libraries that came along.

have_debian() {
    command -v apt-get >/dev/null && command -v dpkg-deb >/dev/null
}

# Usage: fetch [-o OPTION]... PACKAGE... All of them, or none.
fetch() {
    if apt-get download -qq -o Acquire::Retries=1 -o Acquire::http::Timeout=20 "$@" >/dev/null 2>&1; then
        for package in *.deb; do
            dpkg-deb --extract "$package" .
            rm "$package"
        done
    else
        rm -f ./*.deb
        return 1
    fi
}

# A new machine has no lists of packages yet.
refresh_lists() {
    [ "$(id -u)" = 0 ] && apt-get update -qq -o Acquire::Retries=1 -o Acquire::http::Timeout=20 >/dev/null 2>&1
}

# Where unpacked libraries are, for LD_LIBRARY_PATH.
libraries() {
    found=
    for place in "$PWD"/usr/lib/*-linux-gnu* "$PWD"/lib/*-linux-gnu*; do
        [ ! -d "$place" ] || found=$found${found:+:}$place
    done
    echo "$found"
}

missing_libraries() {
    LD_LIBRARY_PATH=$(libraries) ldd "$1" | awk '/not found/ { print $1 }'
}

# Fetch what a program links to and this machine lacks: Debian names a package after the library in it,
# 'libjemalloc.so.2' is in libjemalloc2 and 'liblua5.3.so.0' in liblua5.3-0.
fetch_libraries() {
    previous=
    while missing=$(missing_libraries "$1") && [ -n "$missing" ]; do
        [ "$missing" != "$previous" ] || return 1
        previous=$missing
        for library in $missing; do
            package=$(echo "$library" | sed -E 's/libcrypto/libssl/; s/([0-9])\.so\.([0-9]+).*/\1-\2/; s/\.so\.([0-9]+).*/\1/')
            fetch "$package" || fetch "${package}t64" || return 1
        done
    done
}

# Usage: put_program FILE [NAME]. Make bin/NAME start it.
put_program() {
    fetch_libraries "$PWD/$1" || return 1
    mkdir -p bin
    program=bin/${2:-$(basename "$1")}
    printf '#!/bin/sh\nLD_LIBRARY_PATH=%s exec %s "$@"\n' "$(libraries)" "$PWD/$1" >"$program"
    chmod +x "$program"
}
