#!/bin/sh
# Makes a backup of CenterHook while it works: the database as it was at one moment, and
# the files. Without the keys, which are kept apart: docs/backup.md.
#
#     deploy/backup.sh FOLDER
set -eu
umask 077
folder=${1:?Name the folder to make, such as /backups/2026-11-26}
here=$(dirname "$0")
var=$here/../var
. "$here/postgres-url.sh"

if [ -e "$folder" ]; then
    echo "$folder is there already. Name another folder: no backup is written over." >&2
    exit 1
fi
# What a backup that was cut off has left is written over.
mkdir -p "$folder.part"

# The database first: a file without a row takes room, a row without its file is a loss.
pg_dump --format=custom --no-owner --no-privileges --dbname="$url" \
    --file="$folder.part/database.dump"
# 1 says that a file was changed or removed meanwhile.
# A folder that the service has not made yet is left to it: it would be somebody else's.
empty=$folder.part/empty
mkdir -p "$empty"
pack() {
    from=$2
    [ -d "$from" ] || from=$empty
    tar -czf "$folder.part/$1.tar.gz" -C "$from" . || [ $? = 1 ]
}
pack attachments "${ATTACHMENTS_DIR:-$var/attachments}"
pack packages "${PACKAGES_DIR:-$var/packages}"

rmdir "$empty"
# Only what is whole has the name that was asked for.
mv "$folder.part" "$folder"
echo "The backup is in $folder. SECRET_KEY and SECRETS_KEYS are not in it."
