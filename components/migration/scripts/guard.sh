#!/bin/sh
# Stands by the migration (run.sh), in a container of its own that has Postgres' programs: holds a lock for as long as it runs, makes the
# backup before it, tells how far it is, and on failure lets it be rolled back or brings the backup back. Connects with CONNECTION_URI
# or libpq's own variables, as the migration does.
# shellcheck source=components/database/scripts/backup-lib.sh
. "$(dirname "$0")/backup-lib.sh"
# shellcheck source=/dev/null
. "$(dirname "$0")/settings" # TIMEOUT_SECONDS HOLD_LOCK RESTORE_ON_FAILURE GO_BACK, and names of arguments
export TIMEOUT_SECONDS PGAPPNAME="$POD" DESTINATION_ARGUMENT VERSION_ARGUMENT
run=/postgres-app/run
here=$(dirname "$0")
# shellcheck source=components/migration/scripts/lock.sh
. "$here/lock.sh"
# shellcheck source=components/migration/scripts/bring-back.sh
. "$here/bring-back.sh"
trap '' PIPE
# The lock is kept until the migration has ended too, which gets the same signal.
terminated='' deleted=''
trap 'terminated=yes deleted=yes' TERM INT HUP

rm -f "$run/abort" # of the try before, in a pod that tries again
# Both sides open them in this order. Nothing is locked before the migration's container is there, whose time begins with it.
{
  [ -z "${ROLLBACK:-}" ] || command exec 9>"$run/to-rollback" 4<"$run/from-rollback"
  command exec 8<"$run/to-guard" 7>"$run/to-migration"
} 2>/dev/null || fail "stopped before the migration's container was there"
begun=$(date +%s)
left() { echo "$((TIMEOUT_SECONDS - ($(date +%s) - begun)))"; }
# in_time: whether it is worth going on.
in_time() { [ -z "$deleted" ] && [ "$(left)" -gt 0 ]; }

stop() {
  echo "stop $1" >&7
  printf '%s: %s\n' "$program" "$1"
}

# --- what is to be done before, while and after ---

# restorable: whether a backup could take the place of what the database holds. If not, says why.
restorable() {
  query -c 'SET ROLE NONE' -f "$here/made.sql" -f "$here/in-the-way.sql" >"$scratch/in-the-way" 2>&1 || {
    cat "$scratch/in-the-way"
    return 1
  }
  [ -s "$scratch/in-the-way" ] || return 0
  echo "it could not be brought back, because of what is not the login's to replace ($(head -n 3 "$scratch/in-the-way" | tr '\n' ',' | sed 's/,$//; s/,/, /g'); objects in all: $(grep -c '' "$scratch/in-the-way")): give it to the role that owns the database (ALTER … OWNER TO), or drop it"
  return 1
}

backed_up() {
  restorable >"$scratch/backup" || return 1
  env ${UPLOAD:+"WHERE=the node"} LABEL="${POD%-*}" sh "$here/backup.sh" >"$scratch/backup" 2>&1 &
  dump=$!
  tail -n +1 -f "$scratch/backup" &
  follower=$!
  status=0
  wait "$dump" || status=$?
  sleep 1
  kill -9 "$follower" 2>/dev/null || true
  [ "$status" -eq 0 ] || return 1
  if [ -n "${UPLOAD:-}" ]; then
    uploaded=yes
    echo upload >"$run/to-upload"
    IFS= read -r word <"$run/from-upload" || word=''
    [ "$word" = "done" ] || {
      echo "it could not be uploaded: see container upload" >>"$scratch/backup"
      return 1
    }
  fi
  backup=$(sed -n -E 's/^(wrote|dumped) ([^:]+): .*/\2/p' "$scratch/backup")
  {
    echo "the backup from before: $backup in $WHERE; to bring the database back to it:"
    printf '%s\n' "$RESTORE_COMMAND" | sed "s/{backup}/$backup/"
  } >"$run/backup"
}

# counted ARGUMENT...: a query while the command runs, whose connection is none of the command's (stayed.sh).
counted() { query "$@" && echo >>"$scratch/ours"; }

# How far the migration is, every 10 s: what its sessions do, which are those from this pod.
report() {
  while sleep 10; do
    : >"$scratch/asking"
    echo "migrating, $(($(date +%s) - begun)) s$(counted -c 'SET ROLE NONE' -f "$here/progress.sql" 2>/dev/null | sed 's/^/; /')"
    rm -f "$scratch/asking"
  done
}

holder='' reporter='' granted='' result='' backup='' uploaded='' migrated=''
tidy() {
  over
  kill -9 ${holder:+"$holder"} ${reporter:+"$reporter"} 2>/dev/null || true
}

# grant: lets the migration begin, or says why not.
grant() {
  if [ -z "$granted" ] && [ "$HOLD_LOCK${FOLDER:-}" != no ]; then
    reachable "$(($(left) < 60 ? $(left) : 60))" || {
      stop "no connection to the database: $answer"
      return
    }
  fi
  if [ "$HOLD_LOCK" = yes ] && ! { locked && cleared "$(left)"; }; then
    [ -n "$deleted" ] || stop "$refusal"
    return
  fi
  if [ "$GO_BACK" = yes ]; then
    echo back >&7
    return
  fi
  if [ -n "${FOLDER:-}" ] && [ -z "$granted" ] && ! backed_up; then
    stop "no backup, no migration: $(tail -n 1 "$scratch/backup")"
    return
  fi
  if [ -z "$granted" ]; then
    [ "$RESTORE_ON_FAILURE" != yes ] || look_before
    report &
    reporter=$!
  fi
  granted=yes
  command_begins
  echo go >&7
}

while :; do
  if IFS= read -r word <&8; then
    case $word in
      ready)
        command_ended # the try before
        grant
        ;;
      migrated) migrated=yes ;; # and not verified yet
      '') ;; # only asks whether this is still here
      *) result=$word ;;
    esac
  elif [ -n "$terminated" ]; then
    terminated=''
  else
    break # its container has ended
  fi
done
exec 7>&-
command_ended
[ -z "$reporter" ] || kill -9 "$reporter" 2>/dev/null || true

# not_undone WHY
not_undone() {
  if [ "$RESTORE_ON_FAILURE" = yes ]; then
    tell_of_restore "not done: $1; to bring the database back to the backup from before:" by-hand
  else
    echo "$1"
  fi
}

undo=''
[ -z "$granted" ] || [ "$result" = "done" ] || undo=yes
undoing=''
[ "${ROLLBACK:-}$RESTORE_ON_FAILURE" = no ] || undoing=yes
if [ -n "$undo" ] && [ "$HOLD_LOCK" = yes ]; then
  if holds "$([ -z "$undoing" ] || [ -n "$deleted" ] && echo 5 || echo 60)"; then cleared 15 || true; else
    [ -z "$undoing" ] || not_undone "the lock was lost, and another migration may be at it"
    undo=''
  fi
fi
if [ -n "$undo" ] && [ -n "$deleted" ]; then
  [ -z "$undoing" ] || not_undone "the pod is being deleted, and there is no time left to undo what the migration has done"
  undo=''
fi
[ -z "${UPLOAD:-}" ] || [ -n "$uploaded" ] || echo nothing >"$run/to-upload"
if [ -n "${ROLLBACK:-}" ]; then
  echo "${undo:+go}" >&9
  exec 9>&-
  terminated=''
  # Until its container has ended.
  while IFS= read -r word <&4 || [ -n "$terminated" ]; do terminated=''; done
fi
[ -z "$undo" ] || [ "$RESTORE_ON_FAILURE" != yes ] || bring_back || exit 1
[ -z "${SIDECAR:-}" ] || {
  tidy
  [ "$result" = "done" ] || exit 1 # started again, for the next try
  # Not in the foreground, where nothing would end it before the pod's grace period.
  trap 'exit 0' TERM INT HUP
  sleep 2147483647 &
  wait
}
