#!/bin/sh
# Waits for the list and the rehearsal, and puts what came of them into the container's message: lines "#<block> …", and what is in a
# block begins with a blank. Always succeeds: what follows from it is decided by plan.ts.
# Needs sh and what both coreutils and busybox have.
set -u
export LC_ALL=C
here=$(dirname "$0")
# shellcheck source=/dev/null
. "$here/plan-settings" # PENDING_SECONDS REHEARSAL_SECONDS GO_BACK
[ "$GO_BACK" != yes ] || exit 0 # nothing is found out, because nothing will be run
run=/postgres-app/run
work=/tmp/plan
mkdir -p "$work"
: >"$work/refusal"
trap 'exit 0' TERM INT HUP

if [ -e "$run/known" ]; then # tools.sh
  echo "the migration has succeeded since; what was found out before it:"
  tail -n +2 "$here/plan-done" | tee /dev/termination-log
  exit 0
fi

escape=$(printf '\033')
return=$(printf '\r')
# What stands in a pattern of sed for itself.
literal() { printf '%s' "$1" | sed 's/[][\\.*^$/]/\\&/g'; }
# percent_encoded TEXT: as it stands in a URI.
percent_encoded() {
  printf '%s' "$1" | od -An -v -tx1 | tr -s ' ' '\n' | while read -r byte; do
    case $byte in
      '') ;;
      2[1789ade] | 3[0-9] | [46][1-9a-f] | [57][0-9a] | 5f | 7e) printf '%b' "\\0$(printf %o "0x$byte")" ;;
      *) printf '%%%s' "$byte" | tr a-f A-F ;;
    esac
  done
}
: >"$work/hide"
uri=${CONNECTION_URI:-}
for secret in "$uri" "${PGPASSWORD:-}" "$(percent_encoded "${PGPASSWORD:-}")" "$(printf '%s' "$uri" | sed -n 's|^[^:]*://[^:@/]*:\(.*\)@.*|\1|p')"; do
  [ -z "$secret" ] || printf 's/%s/********/g\n' "$(literal "$secret")" >>"$work/hide"
done
# What a terminal would show, without colours, blank lines and the password.
clean() {
  sed -e "s/$escape\[[0-9;?]*[A-Za-z]//g" -e "s/$return\$//" -e "s/.*$return//" "$1" | tr -d '\000-\010\013-\037' |
    sed -f "$work/hide" | sed -e 's/[[:blank:]]*$//' -e '/^$/d'
}
indented() { sed 's/^/ /'; }
refuse() { printf '%s\n' "$1" >>"$work/refusal"; }
count() { grep -c '' "$1" || true; }

if [ -n "${PENDING:-}" ]; then
  end=$(($(date +%s) + PENDING_SECONDS + 60))
  until [ -s "$run/pending/result" ] || [ "$(date +%s)" -ge "$end" ]; do sleep 0.5; done
  code=137
  why="it did not come to its end"
  if [ -s "$run/pending/result" ]; then
    read -r code <"$run/pending/result"
    IFS= read -r why <"$run/pending/why" || why=''
  fi
  : >"$work/pending"
  [ ! -e "$run/pending/output" ] || clean "$run/pending/output" >"$work/pending"
  hash=$(sha256sum "$work/pending" | cut -c 1-12)
  if [ "$code" -eq 126 ] || [ "$code" -eq 127 ] || [ "$code" -eq 137 ] || [ -s "$run/pending/stopped" ] ||
    { [ "$code" -ne 0 ] && [ ! -s "$work/pending" ]; }; then
    refuse "the list of pending migrations cannot be made: $why"
    tail -n 10 "$work/pending" | indented >>"$work/refusal"
    : >"$work/pending"
    hash=''
  fi
  echo "pending (exit code $code, hash ${hash:-none}):"
  indented <"$work/pending"
fi

if [ -n "${REHEARSAL:-}" ]; then
  end=$(($(date +%s) + 3 * REHEARSAL_SECONDS + 120))
  until [ -e "$run/copy/done" ] || [ -e "$run/copy/failed" ] || [ "$(date +%s)" -ge "$end" ]; do sleep 0.5; done
  : >"$work/destructive"
  : >"$work/rehearsal"
  if [ -e "$run/copy/failed" ]; then
    refuse "the migration cannot be rehearsed:"
    clean "$run/copy/failed" | indented >>"$work/refusal"
  elif [ ! -e "$run/copy/done" ]; then
    refuse "the rehearsal did not come to its end"
  else
    read -r code <"$run/rehearse/result"
    if [ "$code" -ne 0 ]; then
      read -r took <"$run/rehearse/took" || took=0
      refuse "the migration failed on a copy of the database, after $took s: $(cat "$run/rehearse/why")"
      [ ! -s "$run/rehearse/output" ] || clean "$run/rehearse/output" | tail -n 12 | indented >>"$work/refusal"
      clean "$run/copy/copied" >"$work/rehearsal"
    else
      cp "$run/copy/destructive" "$work/destructive"
      cp "$run/copy/report" "$work/rehearsal"
    fi
  fi
  echo "rehearsal:"
  indented <"$work/destructive"
  indented <"$work/rehearsal"
fi
[ ! -s "$work/refusal" ] || cat "$work/refusal"

# fit BYTES FILE: its first lines.
fit() {
  room=$(($1 - 40))
  shown=0
  all=$(count "$2")
  while IFS= read -r line; do
    [ "${#line}" -le 300 ] || line="$(printf '%s' "$line" | cut -c 1-297)..."
    room=$((room - ${#line} - 2))
    [ "$room" -gt 0 ] || break
    printf ' %s\n' "$line"
    shown=$((shown + 1))
  done <"$2"
  [ "$shown" -eq "$all" ] || echo " ... $((all - shown)) more, see the log"
}
size() { wc -c <"$1"; }

{
  third=$((MESSAGE_BYTES / 3))
  if [ -s "$work/refusal" ]; then
    echo "#refusal"
    fit "$((third * 2))" "$work/refusal"
  fi
  if [ -s "${work}/destructive" ]; then
    echo "#destructive"
    fit "$third" "$work/destructive"
  fi
} >"$work/message"
left=$((MESSAGE_BYTES - $(size "$work/message") - 80))
if [ -n "${PENDING:-}" ]; then
  # The report gets what it needs, up to half.
  other=0
  [ ! -s "$work/rehearsal" ] || other=$(size "$work/rehearsal")
  [ "$other" -le "$((left / 2))" ] || other=$((left / 2))
  {
    echo "#pending ${hash:--} $code"
    fit "$((left - other))" "$work/pending"
  } >>"$work/message"
  left=$((MESSAGE_BYTES - $(size "$work/message") - 40))
fi
if [ -n "${REHEARSAL:-}" ]; then
  {
    echo "#rehearsal"
    fit "$left" "$work/rehearsal"
  } >>"$work/message"
fi
cat "$work/message" >/dev/termination-log
exit 0
