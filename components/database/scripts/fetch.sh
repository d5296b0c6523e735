#!/bin/sh
# Downloads the backup to restore into $FOLDER, unless `restore.sh check` found nothing to do.
# Needs sh, rclone and what busybox has.
# shellcheck source=components/database/scripts/backup-lib.sh
. "$(dirname "$0")/backup-lib.sh"

[ ! -e "$FOLDER/restored" ] || exit 0
read -r database <"$FOLDER/database"

doing="waiting for $WHERE"
attended list_store sp ||
  fail "the backups in $WHERE cannot be listed: the lines above say why; check bucket, endpoint, region and the keys in the Secret"
cp "$scratch/out" "$scratch/list"
doing=''
choose "$scratch/list" "$database"

free=$(free "$FOLDER")
[ "$bytes" -lt "$free" ] ||
  fail "$name has $(human "$bytes"), and the node has $(human "$free") left for pods: make room on the node, or copy the backup to a claim and restore from there"
echo "downloading $name ($(human "$bytes")) from $WHERE"
since=$(date +%s)
for each in "$name" "$name.sha256"; do
  attended store copyto "$remote/$each" "$FOLDER/$each" ||
    fail "$each could not be downloaded from $WHERE: the lines above say why"
done
echo "$name" >"$FOLDER/chosen"
echo "downloaded it in $(elapsed)"
