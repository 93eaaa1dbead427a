#!/bin/sh
# Say where the web admin of the demo will answer, and how to log in to it.
# Usage: scripts/log_in.sh FOLDER
set -eu

demo=$1
login=$demo/web-admin-login.txt

# Usage: setting NAME DEFAULT
setting() {
    given=$(sed -n "s/^$1 = \"\{0,1\}\([^\"]*\)\"\{0,1\} *$/\1/p" "$demo/config.toml" | tail -n 1)
    echo "${given:-$2}"
}

host=${ZATO_WEB_ADMIN_HOST:-$(setting web_admin_host 127.0.0.1)}
port=${ZATO_WEB_ADMIN_PORT:-$(setting web_admin_port 8183)}
echo "Web admin   http://$host:$port"
if [ -s "$login" ]; then
    echo "            $(cat "$login"), kept in $login"
else
    echo "            '.venv/bin/zato user create $demo admin --role admin' makes a log-in, once the server runs"
fi
echo
