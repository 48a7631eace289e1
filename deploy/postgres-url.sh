# Sourced: sets `url` to DATABASE_URL without its password, which goes into PGPASSWORD,
# since everybody on a machine sees the arguments of its processes.
if [ -z "${DATABASE_URL:-}" ] && [ -n "${DATABASE_URL_FILE:-}" ]; then
    DATABASE_URL=$(cat "$DATABASE_URL_FILE")
fi
case "${DATABASE_URL:-}" in
    postgres://* | postgresql://*) ;;
    *)
        echo "Load settings with a DATABASE_URL of PostgreSQL first:" \
            "set -a; . /etc/centerhook.env; set +a" >&2
        exit 1
        ;;
esac
url=$(printf '%s' "$DATABASE_URL" | sed -E 's#^([a-z]+://[^:@/]*):[^/]*@#\1@#')
PGPASSWORD=$(printf '%s' "$DATABASE_URL" | python3 -c '
import sys
from urllib.parse import unquote, urlsplit
print(unquote(urlsplit(sys.stdin.read()).password or ""))')
export PGPASSWORD
