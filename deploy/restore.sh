#!/bin/sh
# Puts a backup into an empty database, whose first start is paused: docs/backup.md.
#
#     deploy/restore.sh FOLDER
set -eu
umask 077
folder=${1:?Name the folder of the backup}
here=$(dirname "$0")
var=$here/../var
. "$here/postgres-url.sh"

if [ "${MODE:-}" != paused ]; then
    echo "Put MODE=paused into the settings first: what waits in the backup would go" \
        "out at the first start." >&2
    exit 1
fi
tables=$(psql --dbname="$url" --tuples-only --no-align --command \
    "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'")
if [ "$tables" != 0 ]; then
    echo "The database of DATABASE_URL is not empty. Make a new one." >&2
    exit 1
fi

pg_restore --no-owner --no-privileges --exit-on-error --single-transaction \
    --dbname="$url" "$folder/database.dump"
psql --dbname="$url" --quiet --command "ANALYZE"
unpack() {
    mkdir -p "$2"
    tar -xzf "$folder/$1.tar.gz" -C "$2"
}
unpack attachments "${ATTACHMENTS_DIR:-$var/attachments}"
unpack packages "${PACKAGES_DIR:-$var/packages}"
echo "Restored. Now: manage.py migrate, then manage.py doctor, then start the processes."
