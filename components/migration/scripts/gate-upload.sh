#!/bin/sh
# Uploads the backup that guard.sh makes, once it is there. Ends with guard.sh if none comes.
set -eu
run=/postgres-app/run
IFS= read -r word <"$run/to-upload" || exit 0
[ "$word" = upload ] || exit 0
# shellcheck source=/dev/null
. "$(dirname "$0")/settings"
export DESTINATION_ARGUMENT
if sh "$(dirname "$0")/upload.sh"; then
  echo "done" >"$run/from-upload"
else
  echo failed >"$run/from-upload"
  exit 1
fi
