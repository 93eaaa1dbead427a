#!/bin/sh
# Make the demo environment, or complete it: services that are missing are copied, what is there is never touched.
# Usage: [BIN=.venv/bin] scripts/demo.sh FOLDER [OPTIONS OF zato create]
set -eu
cd "$(dirname "$0")/.."

demo=$1
shift
bin=${BIN:-.venv/bin}

login=$demo/web-admin-login.txt
if [ ! -e "$demo/config.toml" ]; then
    made=$("$bin/zato" create "$demo" "$@")
    # The password is told once, and kept here for whoever tries this out; it is that of a demo.
    (umask 077 && echo "$made" | sed -n 's/^ *web admin *//p' >"$login")
fi
# Of an environment that was made before there was a web admin, the file has no line for it.
if grep -q '^# web_admin = ' "$demo/config.toml"; then
    sed 's/^# web_admin = .*/web_admin = true/' "$demo/config.toml" >"$demo/config.toml.new"
    mv "$demo/config.toml.new" "$demo/config.toml"
elif ! grep -q '^web_admin = ' "$demo/config.toml"; then
    echo 'web_admin = true' >>"$demo/config.toml"
fi

for file in examples/*.py docs/examples/my_service.py docs/examples/explicit_callback.py \
    docs/examples/callback_by_convention.py; do
    copy=$demo/services/${file##*/}
    if [ ! -e "$copy" ]; then
        cp "$file" "$copy"
    elif ! cmp -s "$file" "$copy"; then
        echo "$copy is not the same as $file, and stays as it is. To have the new one: cp $file $copy"
    fi
done

if [ ! -e "$demo/crm/customers.csv" ]; then
    mkdir -p "$demo/crm"
    "$bin/python" examples/data/make_customers.py >"$demo/crm/customers.csv.new"
    mv "$demo/crm/customers.csv.new" "$demo/crm/customers.csv"
fi
