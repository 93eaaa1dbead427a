#!/bin/sh
# Create a virtual environment from requirements-dev.lock, with this package in it, editable.
# Usage: PYTHON=python3 scripts/venv.sh FOLDER
set -eu

venv=$1
python=${PYTHON:-python3}

fail() {
    echo "make venv: $1" >&2
    exit 1
}

command -v "$python" >/dev/null || fail "no '$python' here; install Python 3.11 or newer, or name one with PYTHON=python3.12"

version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
    fail "Python 3.11 or newer is needed and '$python' is $version; name another with PYTHON=python3.12"

# Debian and Ubuntu ship `venv` and `ensurepip` in a package of their own.
if ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
        export DEBIAN_FRONTEND=noninteractive
        { apt-get update -qq && apt-get install -y -qq "python$version-venv"; } >/dev/null ||
            fail "'apt-get install python$version-venv' failed"
    else
        fail "'$python' cannot create virtual environments; on Debian and Ubuntu: sudo apt-get install python$version-venv"
    fi
fi

# One that was moved, or whose Python is gone, is made anew.
"$venv/bin/python" -c 'import pip' 2>/dev/null || "$python" -m venv --clear "$venv"

echo "Installing into $venv ..."
pip="$venv/bin/python -m pip --disable-pip-version-check"
$pip install -qq --require-hashes -r requirements-dev.lock
$pip install -qq --no-deps --no-build-isolation --editable .
