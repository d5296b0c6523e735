#!/bin/sh
# One pod of a new version, in two containers of the user's image, of which nothing is known: those programs used here are the copies
# that tools.sh made.
#   canary.sh check [COMMAND…]  waits until the application is ready, runs COMMAND, and lets it be ended
#   canary.sh app COMMAND…      runs the application until then
set -u
exec 2>&1
mode=$1
shift

tools=/postgres-app/tools
run=/postgres-app/run
pod=$POSTGRES_APP_POD namespace=$POSTGRES_APP_NAMESPACE
unset POSTGRES_APP_POD POSTGRES_APP_NAMESPACE
# shellcheck source=/dev/null
. "${0%/*}/settings" # TIMEOUT_SECONDS

copy_of() {
  program=$1
  shift
  "$tools/loader" --library-path "$tools/lib" "$tools/bin/$program" "$@"
}
now() { copy_of date +%s; }
say() { printf 'canary: %s\n' "$*"; }
# The end of the log is what Pulumi shows: what to do comes last.
finish() {
  say "$1; the running version was not touched"
  say "the whole log: kubectl logs --namespace $namespace $pod --container $mode"
  exit 1
}
begun=$(now)
over() { [ "$(($(now) - begun))" -ge "$TIMEOUT_SECONDS" ]; }
limit="$TIMEOUT_SECONDS s, rollout.canary.timeoutSeconds"

# start WORD…: in the background, without what is open here. Its exit code is in $run/$mode-code when it has ended.
start() {
  (
    "$@" 8>&- &
    echo $! >"$run/$mode-pid"
    wait $!
    echo $? >"$run/$mode-code"
  ) &
}
ended() { [ -s "$run/$mode-code" ]; }
stop_it() { { read -r pid <"$run/$mode-pid" && kill "-$1" "$pid"; } 2>/dev/null || true; }
# Ten seconds for ending in order.
stop() {
  stop_it TERM
  tries=0
  until ended || [ "$((tries += 1))" -gt 20 ]; do copy_of sleep 0.5; done
  ended || stop_it KILL
}

# --- the application ---

if [ "$mode" = app ]; then
  terminated=''
  trap 'terminated=yes; stop_it TERM' TERM INT HUP
  # Waits until the other container is there, and is open for as long as this one lives: its end is seen there, however it came.
  exec 8>"$run/from-app"
  start "$@"
  until ended || [ -s "$run/end" ]; do copy_of sleep 0.5; done
  if [ -s "$run/end" ]; then
    stop
    read -r how <"$run/end"
    [ "$how" = late ] || exit 0
    finish "it was not ready after $limit: its last lines are above"
  fi
  read -r code <"$run/app-code"
  [ -z "$terminated" ] || finish "it was stopped: it did not answer its probes in time (probes.startup, probes.liveness), or the pod was deleted"
  case $code in
    126) finish "\"$1\" cannot be executed: give it the right to in the image" ;;
    127) finish "the image has no \"$1\": correct the command, or the image" ;;
    137) finish "\"$1\" was killed (exit code 137): most likely it needs more memory than resources.limits allow" ;;
    *) finish "\"$1\" ended with exit code $code" ;;
  esac
fi

# --- the check ---

trap 'exit 1' TERM INT HUP
(
  IFS= read -r _ <"$run/from-app"
  echo yes >"$run/app-ended"
) &
gone() { [ -s "$run/app-ended" ]; }

until [ -e "$run/started" ] && [ -e "$run/answers" ]; do
  if gone; then finish "the application ended before it was ready: see container app"; fi
  if over; then
    echo late >"$run/end"
    finish "the application was not ready after $limit: see container app"
  fi
  copy_of sleep 0.5
done
say "ready after $(($(now) - begun)) s"
if [ $# -gt 0 ]; then
  start "$@"
  why=''
  until ended; do
    copy_of sleep 0.5
    if gone; then why="the application ended while \"$1\" asked it: see container app"; fi
    if over; then why="\"$1\" was ended after $limit"; fi
    [ -n "$why" ] || continue
    stop
    break
  done
  if [ -z "$why" ]; then
    read -r code <"$run/check-code"
    [ "$code" -eq 0 ] || why="\"$1\" failed with exit code $code"
    [ "$code" -ne 127 ] || why="the image has no \"$1\": correct rollout.canary.command"
  fi
  if [ -n "$why" ]; then
    echo failed >"$run/end"
    finish "$why"
  fi
  say "\"$1\" succeeded"
fi
echo "done" >"$run/end"
