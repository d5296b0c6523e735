#!/bin/sh
# Sourced by guard.sh: restoreOnFailure, and what is told of it.
# shellcheck disable=SC2154 # what guard.sh has set
# shellcheck source=components/migration/scripts/stayed.sh
. "$here/stayed.sh"

# tell_of_restore WORDS [by-hand]: in the log, and as the container's message for `pulumi up`; with what a person can do in its place.
tell_of_restore() {
  {
    echo "restoreOnFailure: $1"
    [ -z "${2:-}" ] || tail -n 1 "$run/backup"
  } >"$scratch/told"
  cat "$scratch/told"
  [ ! -w /dev/termination-log ] || cat "$scratch/told" >/dev/termination-log
}

bring_back() {
  asking=$(date +%s)
  stayed
  case $stayed in
    no)
      tell_of_restore "not needed, and the database was left alone: $why"
      return
      ;;
    perhaps)
      tell_of_restore "not done: $why; to bring the database back to the backup from before all the same, without what was written since:" by-hand
      return
      ;;
  esac
  echo "the migration failed: bringing the database back to $backup"
  mkfifo "$scratch/restoring"
  tee "$scratch/restored" <"$scratch/restoring" &
  teller=$!
  status=0
  # What is left of the time: the Job's own deadline would delete the pod.
  remaining=$((TIMEOUT_SECONDS - ($(date +%s) - asking)))
  BACKUP=$backup TIMEOUT_SECONDS=$((remaining > 30 ? remaining : 30)) sh "$here/restore.sh" replace >"$scratch/restoring" 2>&1 || status=$?
  wait "$teller" || true
  if [ "$status" -ne 0 ]; then
    tell_of_restore "it failed: $(tail -n 1 "$scratch/restored" | sed 's/^restore: //'); to try again:" by-hand
    return 1
  fi
  tell_of_restore "done: the database is as in $backup, without what was written since"
}
