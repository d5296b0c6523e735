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
# A library of the image's for all of its programs (jemalloc, mostly) is not for ours, which may be of another libc.
preload=${LD_PRELOAD-}
unset LD_PRELOAD
# shellcheck source=/dev/null
. "${0%/*}/settings" # TIMEOUT_SECONDS ATTEMPTS HOLD_LOCK RESTORE_ON_FAILURE ARGUMENT_PREFIX
# shellcheck source=components/database/scripts/passing.sh
. "${0%/*}/passing.sh"
# shellcheck source=components/migration/scripts/left-behind.sh
. "${0%/*}/left-behind.sh"
# shellcheck source=components/migration/scripts/ahead.sh
. "${0%/*}/ahead.sh"

copy_of() {
  program=$1
  shift
  "$tools/loader" --library-path "$tools/lib" "$tools/bin/$program" "$@"
}
now() { copy_of date +%s; }
say() { printf '%s: %s\n' "$mode" "$*"; }

copy_of mkdir -p "$run"
begun=$(now)
failed='' attempted=''

# tell WORD: to guard.sh, if it still listens.
tell() { (trap '' PIPE && echo "$1" >&8) 2>/dev/null; }

# The end of the log is what Pulumi shows: what to do comes last.
finish() {
  if [ "$1" -ne 0 ]; then
    if [ ! -s "$shared/backup" ]; then
      [ -n "$attempted" ] || echo "nothing was begun"
    elif [ "$RESTORE_ON_FAILURE" != yes ] || ! tell ''; then # guard.sh tells what became of that
      copy_of cat "$shared/backup"
    fi
    say "the whole log: kubectl logs --namespace $namespace $pod --container $mode"
  fi
  exit "$1"
}

# What ends a run before its time is a line in $run/stopped. Nothing is begun after it.
# shellcheck disable=SC2317 # called by the trap
stop() {
  echo "it was stopped from outside: its pod was deleted or evicted (perhaps for more disk than resources.limits allow), or its node is going down; kubectl get events --namespace $namespace --field-selector involvedObject.name=$pod says which" >"$run/stopped"
  ! signal TERM || : >"$run/signalled"
}
trap stop TERM INT HUP
# To the command, if it runs.
signal() { { read -r pid <"$run/pid" && kill "-$1" "$pid"; } 2>/dev/null; }
stopped() { [ -s "$run/stopped" ] && IFS= read -r failed <"$run/stopped"; }

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
  as_given "$@"
}
# shellcheck disable=SC2317 # called by attempt
rest() {
  shift "$count"
  as_given "$@"
}
# shellcheck disable=SC2317 # called by attempt
# Its sessions have a name by which guard.sh finds those that outlive it: a server goes on with a statement whose client was killed.
as_given() {
  if [ -z "${PGAPPNAME-}" ] && [ "$HOLD_LOCK" = yes ]; then
    PGAPPNAME="$(printf %.52s "$pod") migrating"
    export PGAPPNAME
  fi
  [ -z "$preload" ] || export LD_PRELOAD="$preload"
  exec "$@"
}

# attempt first|rest WORD…: runs it, with its output in the log and in $run/output. Sets $code.
attempt() {
  attempted=yes
  copy_of rm -f "$run/code" "$run/pid" "$run/signalled"
  (
    "$@" 2>&1 7>&- 8>&- &
    echo $! >"$run/pid"
    { wait $!; } 2>/dev/null # where the shell would tell that it was killed
    echo $? >"$run/code"
  ) 2>&1 | copy_of tee "$run/output" &
  child=$!
  watch &
  watcher=$!
  # A signal ends the wait, not the command.
  while kill -0 "$child"; do wait "$child"; done 2>/dev/null
  kill -9 "$watcher" 2>/dev/null
  code=137
  [ ! -s "$run/code" ] || read -r code <"$run/code"
  copy_of rm -f "$run/pid"
  # A program that ends in order when it is told to says 0, whatever it has done by then.
  if stopped && [ "$code" -eq 0 ]; then code=143; fi
}

# Ends a command that takes too long, whose lock was lost, or whose pod is being deleted; in the background. And what goes on after it
# with its output in hand, for which the log would be waited for without end.
watch() {
  trap '' PIPE
  while :; do
    copy_of sleep 1
    if [ -s "$run/code" ]; then
      copy_of sleep 1
      [ -s "$run/stopped" ] || say "what it left running is ended with it"
      break
    fi
    stopped || {
      failed=''
      [ "$(($(now) - begun))" -lt "$TIMEOUT_SECONDS" ] || failed="it was ended after $TIMEOUT_SECONDS s, ${ARGUMENT_PREFIX}timeoutSeconds: look for what it waited for, or allow it more"
      case $mode in
        # guard.sh's end is seen by writing to it: an empty line, which means nothing.
        migrate | rollback) { echo >&8; } 2>/dev/null || failed="it was ended because the container guard had ended, and with it the lock: see its log" ;;
      esac
      [ ! -s "$shared/abort" ] || read -r failed <"$shared/abort"
      [ -n "$failed" ] || continue
      echo "$failed" >"$run/stopped"
    }
    [ -e "$run/signalled" ] || signal TERM
    patience=10
    until [ -s "$run/code" ] || [ "$patience" -eq 0 ]; do
      copy_of sleep 1
      patience=$((patience - 1))
    done
    signal KILL
    copy_of sleep 1
    break
  done
  kill -9 "$child"
}

words_of_code() {
  case $1 in
    126) echo "\"$2\" cannot be executed: give it the right to in the image" ;;
    127) echo "the image has no \"$2\", or what it runs is not there: correct the command, or the image" ;;
    137) echo "\"$2\" was killed (exit code 137): most likely it needs more memory than resources.limits allow" ;;
    139) echo "\"$2\" crashed (exit code 139, segmentation fault)" ;;
    *) echo "\"$2\" failed with exit code $1" ;;
  esac
}

last_lines() { copy_of tail -n 40 "$run/output"; }
# hint HELD: what there is to do about the failure, where the tool's words are known.
hint() {
  lines=$(last_lines)
  left=$(left_behind "$lines" "$1")
  [ -n "$left" ] || left=$(ahead "$lines")
  printf %s "${left:+: $left}"
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
  . "${0%/*}/plan-run.sh"
fi

# --- migrate and rollback: guard.sh says when ---

# In the background: guard.sh keeps to the time itself, but one that never began, or hangs, does not. Then its part is taken.
stand_in() {
  copy_of sleep "$((TIMEOUT_SECONDS + 15 - ($(now) - begun)))"
  exec 9<"$shared/to-guard"
  echo "stop the container guard does not answer: see its log" >"$shared/to-migration"
  copy_of sleep 60
}

# granted: asks guard.sh for the lock, which it may have lost since the last time. What is opened stays open for as long as this shell
# lives, so that guard.sh sees its end, however that comes.
opened=''
granted() {
  [ "$mode" = migrate ] || return 0
  stand_in &
  waiter=$!
  if [ -z "$opened" ]; then
    # A signal may come while the other side is not there yet: with `command` that does not end the shell without a word.
    { command exec 8>"$shared/to-guard" 7<"$shared/to-migration"; } 2>/dev/null && opened=yes
  fi
  word=''
  if [ -n "$opened" ] && ! stopped && tell ready; then IFS= read -r word <&7 || word=''; fi
  kill -9 "$waiter" 2>/dev/null
  if stopped; then
    say "not begun: $failed"
    finish 1
  fi
  [ "$word" != go ] || return
  if [ "$word" = back ]; then
    say "not run: it is the release that ${SHARED_PREFIX}goBackTo names, and the schema stays as the newer one left it"
    tell "done"
    finish 0
  fi
  word=${word#stop }
  say "${word:-the container guard ended, and with it the lock: see its log}"
  finish 1
}

if [ "$mode" = rollback ]; then
  word=''
  { command exec 7<"$shared/to-rollback" 8>"$shared/from-rollback"; } 2>/dev/null && { IFS= read -r word <&7 || word=''; }
  [ "$word" = go ] || exit 0
  begun=$(now)
fi

# pursue first|rest WORD…: attempts it as often as it is told, where that can help. Sets $code and $took.
pursue() {
  tries=0
  while :; do
    [ -n "$locked" ] || granted
    locked=''
    tries=$((tries + 1))
    started=$(now)
    attempt "$@"
    took=$(($(now) - started))
    if [ "$code" -eq 0 ] || [ -n "$failed" ]; then return; fi
    if ! passing "$(last_lines)" || [ "$tries" -ge "$ATTEMPTS" ]; then return; fi
    pause=$((tries < 5 ? 1 << tries : 30))
    [ "$(($(now) - begun + pause))" -lt "$TIMEOUT_SECONDS" ] || {
      say "$passing, but there is no time left of $TIMEOUT_SECONDS s, ${ARGUMENT_PREFIX}timeoutSeconds, to try again"
      return
    }
    say "failed after $took s, $passing: try $((tries + 1)) of $ATTEMPTS follows in $pause s"
    copy_of sleep "$pause" &
    wait $! # a signal ends the wait
    ! stopped || return
  done
}

locked=''
pursue first "$@"
if [ "$code" -ne 0 ]; then
  tell failed
  say "${failed:-$(words_of_code "$code" "$1"), after $took s$(hint "$HOLD_LOCK")}"
  finish 1
fi
say "done in $took s"
if [ $# -gt "$count" ]; then
  locked=yes
  tell migrated
  if stopped; then code=143; else pursue rest "$@"; fi
  if [ "$code" -ne 0 ]; then
    tell failed
    shift "$count"
    say "the migration is done, but it was not verified: ${failed:-$(words_of_code "$code" "$1")}"
    finish 1
  fi
  say verified
fi
tell "done"
# For whoever looks at the pod, as failures are.
if [ "$mode" = rollback ] && [ -w /dev/termination-log ]; then say "done in $took s" >/dev/termination-log; fi
finish 0
