#!/bin/sh
# Runs the user's command in the user's image, and says in words how it ended:
#   run.sh migrate N COMMAND… [VERIFY…]   COMMAND has N words; VERIFY is run after it
#   run.sh rollback N COMMAND…            only if the migration failed
#   run.sh check N COMMAND…               only whether it could be run
#   run.sh pending|rehearse N COMMAND…    before the migration (plan-run.sh)
# No program may be expected in the image: those used here are the copies that tools.sh made.
set -u
exec 2>&1
mode=$1 count=$2
shift 2

tools=/postgres-app/tools
shared=/postgres-app/run
run=$shared/$mode # of this container
pod=$POSTGRES_APP_POD namespace=$POSTGRES_APP_NAMESPACE
unset POSTGRES_APP_POD POSTGRES_APP_NAMESPACE
# shellcheck source=/dev/null
. "$(dirname "$0")/settings" # TIMEOUT_SECONDS ATTEMPTS

copy_of() {
  program=$1
  shift
  "$tools/loader" --library-path "$tools/lib" "$tools/bin/$program" "$@"
}
now() { copy_of date +%s; }
say() { printf '%s: %s\n' "$mode" "$*"; }

copy_of mkdir -p "$run"
begun=$(now)
child='' failed=''

# The end of the log is what Pulumi shows: what to do comes last.
finish() {
  if [ "$1" -ne 0 ]; then
    if [ -s "$shared/backup" ]; then copy_of cat "$shared/backup"; fi
    say "the whole log: kubectl logs --namespace $namespace $pod --container $mode"
  fi
  exit "$1"
}
trap 'failed="it was stopped: the pod was deleted, or its node is going down"; stop_child TERM' TERM INT HUP

stop_child() { [ -z "$child" ] || { read -r pid <"$run/pid" && kill "-$1" "$pid"; } 2>/dev/null || true; }

# shellcheck disable=SC2317 # called by attempt
# The first $count of the words, and what follows them. The command takes the place of the shell that it is started in, so that signals
# reach it.
first() {
  words=$# turned=0
  while [ "$turned" -lt "$count" ]; do
    set -- "$@" "$1"
    shift
    turned=$((turned + 1))
  done
  shift "$((words - count))"
  exec "$@"
}
# shellcheck disable=SC2317 # called by attempt
rest() {
  shift "$count"
  exec "$@"
}

# attempt first|rest WORD…: runs it, with its output in the log and in $run/output. Sets $code.
attempt() {
  copy_of rm -f "$run/code" "$run/stopped"
  (
    "$@" 2>&1 7>&- 8>&- &
    echo $! >"$run/pid"
    wait $!
    echo $? >"$run/code"
  ) | copy_of tee "$run/output" &
  child=$!
  watch &
  watcher=$!
  # A signal ends the wait, not the command.
  while kill -0 "$child" 2>/dev/null; do wait "$child"; done
  kill -9 "$watcher" 2>/dev/null
  child=''
  code=137
  [ ! -s "$run/code" ] || read -r code <"$run/code"
  [ ! -s "$run/stopped" ] || read -r failed <"$run/stopped"
}

# Ends a command that takes too long, or whose lock was lost.
watch() {
  while :; do
    copy_of sleep 1
    reason=''
    [ "$(($(now) - begun))" -lt "$TIMEOUT_SECONDS" ] || reason="it was ended after $TIMEOUT_SECONDS s, migration.timeoutSeconds: look for what it waited for, or allow it more"
    [ ! -s "$shared/abort" ] || read -r reason <"$shared/abort"
    [ -n "$reason" ] || continue
    echo "$reason" >"$run/stopped"
    stop_child TERM
    copy_of sleep 10
    stop_child KILL
    return
  done
}

# What the last lines say of a failure that may be over in a moment.
passing() {
  copy_of tail -n 40 "$run/output" >"$run/last"
  while IFS= read -r line || [ -n "$line" ]; do
    case $line in
      *[Cc]'onnection refused'* | *ECONNREFUSED* | *[Cc]'onnection reset'* | *ECONNRESET* | *EAI_AGAIN* | *'emporary failure in name resolution'*) echo "no connection" ;;
      *'too many clients'* | *'too many connections'* | *'connection slots are reserved'* | *'remaining connection slots'*) echo "too many connections" ;;
      *'deadlock detected'* | *'could not serialize access'* | *'due to lock timeout'*) echo "another session was in the way" ;;
      *'database system is'*'up'* | *'database system is shutting down'* | *'database system is in recovery'* | *'due to administrator command'* | *'closed the connection unexpectedly'* | *'onnection terminated unexpectedly'*) echo "the server was restarting" ;;
      *"Can't reach database server"*) echo "no connection" ;;
      *) continue ;;
    esac
    return
  done <"$run/last"
}

words_of_code() {
  case $1 in
    126) echo "\"$2\" cannot be executed: give it the right to in the image" ;;
    127) echo "the image has no \"$2\": correct the command, or the image" ;;
    137) echo "\"$2\" was killed (exit code 137): most likely it needs more memory than resources.limits allow" ;;
    139) echo "\"$2\" crashed (exit code 139, segmentation fault)" ;;
    *) echo "\"$2\" failed with exit code $1" ;;
  esac
}

# --- check ---

if [ "$mode" = check ]; then
  command -v "$1" >/dev/null || {
    say "the image has no program \"$1\" (PATH is $PATH): correct the command, or the image"
    exit 127
  }
  exit 0
fi

# --- pending and rehearse ---

if [ "$mode" = pending ] || [ "$mode" = rehearse ]; then
  # shellcheck source=components/migration/scripts/plan-run.sh
  . "$(dirname "$0")/plan-run.sh"
fi

# --- migrate and rollback: guard.sh says when ---

# Opened for as long as any process of this container lives, the command's too: guard.sh sees its end, however it came.
if [ "$mode" = rollback ]; then
  IFS= read -r word <"$shared/to-rollback" || word=
  exec 8>"$shared/from-rollback"
  [ "$word" = go ] || exit 0
  begun=$(now)
else
  exec 8>"$shared/to-guard" 7<"$shared/to-migration"
fi

# granted: asks guard.sh for the lock, which it may have lost since the last time.
granted() {
  echo ready >&8
  IFS= read -r word <&7 || word="stop the container guard ended, and with it the lock: see its log"
  [ "$word" = go ] && return
  say "${word#stop }"
  finish 1
}

tries=0
while :; do
  [ "$mode" = rollback ] || granted
  tries=$((tries + 1))
  started=$(now)
  attempt first "$@"
  took=$(($(now) - started))
  [ "$code" -ne 0 ] || break
  why=''
  [ -n "$failed" ] || why=$(passing)
  if [ -z "$why" ] || [ "$tries" -ge "$ATTEMPTS" ]; then break; fi
  say "failed after $took s, $why: try $((tries + 1)) of $ATTEMPTS follows"
  copy_of sleep "$((tries < 5 ? 1 << tries : 30))"
done

if [ "$code" -ne 0 ]; then
  echo failed >&8
  say "${failed:-$(words_of_code "$code" "$1")}, after $took s"
  finish 1
fi
say "done in $took s"
if [ $# -gt "$count" ]; then
  attempt rest "$@"
  if [ "$code" -ne 0 ]; then
    echo failed >&8
    shift "$count"
    say "the migration is done, but it was not verified: ${failed:-$(words_of_code "$code" "$1")}"
    finish 1
  fi
  say verified
fi
[ "$mode" = rollback ] || echo "done" >&8
finish 0
