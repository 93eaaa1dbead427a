#!/bin/sh
# Make the demo environment, or complete it: services that are missing are copied, what is there is never touched.
# Usage: [BIN=.venv/bin] scripts/demo.sh FOLDER [OPTIONS OF zato create]
set -eu
cd "$(dirname "$0")/.."

demo=$1
shift
bin=${BIN:-.venv/bin}

[ -e "$demo/config.toml" ] || "$bin/zato" create "$demo" "$@" >/dev/null

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
