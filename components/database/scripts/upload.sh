#!/bin/sh
# Uploads what backup.sh left in $FOLDER, asks the store for it again, and removes the backups that are older than $RETENTION_DAYS.
# `upload.sh check` finds out whether it could, and leaves nothing.
# Needs sh, rclone and what busybox has.
# shellcheck source=components/database/scripts/backup-lib.sh
. "$(dirname "$0")/backup-lib.sh"

look="look at bucket, endpoint, region and the keys in the Secret of $destination_argument.s3"
if [ "${1:-}" = check ]; then
  probe=.postgres-app-check-$(date -u +%Y%m%dT%H%M%SZ)-$$
  echo "$probe" >"$scratch/probe"
  doing="waiting for $WHERE"
  attended store copyto "$scratch/probe" "$remote/$probe" ||
    fail "nothing can be written to $WHERE, so no backup could be: the lines above say why; $look, and allow the keys to write (s3:PutObject)"
  missing=''
  attended list_store p && grep -q -x -F -e "$probe" "$scratch/out" || missing="$missing, list (s3:ListBucket)"
  attended store cat "$remote/$probe" && cmp -s "$scratch/probe" "$scratch/out" || missing="$missing, read (s3:GetObject)"
  attended store deletefile "$remote/$probe" || missing="$missing, delete (s3:DeleteObject)"
  [ -z "$missing" ] ||
    fail "objects in $WHERE can be written, but backups need more, and the lines above say why it is refused: allow the keys in the Secret of $destination_argument.s3 to ${missing#, }"
  finished "objects in $WHERE can be written, listed, read and removed"
  exit 0
fi

name=$(cd "$FOLDER" && echo *.dump)
database=$(database_of "$name")
read -r sum _ <"$FOLDER/$name.sha256"
read -r begun <"$FOLDER/begun"
bytes=$(size "$FOLDER/$name")

# A backup that is there, of a run that began in the same second, is never overwritten.
doing="waiting for $WHERE"
attended list_store p ||
  fail "$WHERE cannot be listed, and nothing was uploaded: the lines above say why; $look"
cp "$scratch/out" "$scratch/there"
doing=''
! grep -q -x -F -e "$name" "$scratch/there" || fail "$name is in $WHERE already: run again"

echo "uploading $name ($(human "$bytes")) to $WHERE"
attended store copyto "$FOLDER/$name" "$remote/$name" ||
  fail "$name could not be uploaded to $WHERE, and nothing is there: the lines above say why; $look"

echo "verifying what the store holds"
attended store hashsum sha256 --download "$remote/$name" ||
  fail "$name was uploaded to $WHERE and cannot be read back, so it is none: allow the keys to read (s3:GetObject)"
read -r held _ <"$scratch/out"
if [ "$held" != "$sum" ]; then
  attended store deletefile "$remote/$name" || true
  fail "$WHERE does not hold what was sent (sha256 $held instead of $sum), and it was removed: check the store, then run again"
fi
# The checksum comes last: with it, it is a backup.
attended store copyto "$FOLDER/$name.sha256" "$remote/$name.sha256" ||
  fail "the checksum of $name could not be uploaded to $WHERE, so it is no backup: the lines above say why"
seconds=$(($(date +%s) - begun))
echo "uploaded $name: $(human "$bytes") in $seconds s with the dump, sha256 $sum"

expired "$database" "$name" <"$scratch/there" >"$scratch/old"
if [ -s "$scratch/old" ]; then
  attended store delete --files-from-raw "$scratch/old" "$remote" ||
    fail "$name is safe, but older ones cannot be removed: allow the keys to delete (s3:DeleteObject)"
  while read -r each; do echo "removed $each: older than $RETENTION_DAYS days"; done <"$scratch/old"
fi
finished "backup=$name bytes=$bytes sha256=$sum seconds=$seconds"
