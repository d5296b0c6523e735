# shellcheck shell=sh disable=SC2154
# The part of run.sh for a pod that must not fail: modes pending and rehearse. How the command ended stands in files for the container
# "report", $run/result last; then this waits for the pod's end. A container of the pod that was killed is started again.
# shellcheck source=/dev/null
. "${0%/*}/plan-settings" # REHEARSAL_SECONDS
unset POSTGRES_APP_DATABASE POSTGRES_APP_LOGIN

stay() {
  trap 'exit 0' TERM INT HUP
  copy_of sleep 2147483647 &
  wait $!
  exit 0
}

# ended CODE WHY: 0 is success.
ended() {
  [ -z "$2" ] || say "$2"
  echo "$2" >"$run/why"
  echo "$1" >"$run/result"
  stay
}

[ "$GO_BACK" != yes ] || stay
[ ! -e "$shared/known" ] || stay # tools.sh
if [ -e "$run/begun" ]; then
  [ ! -s "$run/result" ] || stay
  ended 137 "\"$1\" was killed: most likely it needs more memory than ${SHARED_PREFIX}resources.limits allow"
fi
: >"$run/begun"

# elsewhere HOST: names a variable that leads to the real server, or says that the command does. Names of hosts are too short to be looked
# for within other words.
elsewhere() {
  export -p | while IFS= read -r line; do
    value=${line#*=}
    value=${value#[\'\"]}
    value=${value%[\'\"]}
    case $value in
      "$1" | *[@/=]"$1"[:/]* | *[@/=,]"$1" | *[@/=,]"$1"[\ ,]*)
        line=${line#export }
        line=${line#declare -x }
        echo "its variable ${line%%=*} names the real server"
        return
        ;;
    esac
  done
}

if [ "$mode" = rehearse ]; then
  TIMEOUT_SECONDS=$REHEARSAL_SECONDS
  until [ -e "$shared/copy/ready" ]; do
    [ ! -e "$shared/copy/failed" ] || stay
    copy_of sleep 0.2
  done
  read -r host <"$shared/copy/host" || host=
  found=''
  [ -z "$host" ] || found=$(elsewhere "$host")
  [ -z "$found" ] || ended 1 "it was not run, because $found: let it find the database by the variables of connectionEnv alone, or leave the rehearsal out"
fi

begun=$(now)
attempt first "$@"
took=$(($(now) - begun))
echo "$took" >"$run/took"
if [ -s "$run/stopped" ] && [ "$mode" = rehearse ]; then
  failed="it was ended after $TIMEOUT_SECONDS s, ${ARGUMENT_PREFIX}rehearsal.timeoutSeconds: look for what takes so long, or allow it more"
fi
[ "$code" -ne 0 ] || ended 0 ""
# Before the migration nobody holds the lock of the database.
ended "$code" "${failed:-$(words_of_code "$code" "$1")$(hint no)}"
