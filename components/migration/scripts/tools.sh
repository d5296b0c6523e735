#!/bin/sh
# Copies a shell and a few small programs into $TOOLS, with the libraries they need and the loader that puts them together, so that
# run.sh runs in any image, one without a shell and one of another libc too. Makes what run.sh and guard.sh talk through in $RUN.
# Needs sh, ldd and what both coreutils and busybox have.
set -eu
umask 022
mkdir -p "$TOOLS/bin" "$TOOLS/lib"
for each in sh cat date mkdir rm sleep tail tee; do
  program=$(command -v "$each")
  cp -L "$program" "$TOOLS/bin/$each"
  # A line for each library, "<name> => <path> (…)", and one for the loader, "<path> (…)".
  for library in $(ldd "$program" | tr -s '[:blank:]' '\n' | grep '^/'); do
    [ -e "$TOOLS/lib/$(basename "$library")" ] || cp -L "$library" "$TOOLS/lib"
  done
done
mv "$TOOLS"/lib/ld-* "$TOOLS/loader"
# A pod that is to find out what was found out before its migration, which has succeeded since: the one that did so is lost, with its node.
here=$(dirname "$0")
if [ -e "$here/plan-settings" ]; then
  # shellcheck source=/dev/null
  . "$here/plan-settings" # PLAN
  { read -r known <"$here/plan-done"; } 2>/dev/null || known=''
  [ "$known" != "$PLAN" ] || : >"$RUN/known"
fi
# A pod whose sandbox is made anew (its node was restarted) runs this again, with the volumes of before.
for each in to-guard to-migration to-rollback from-rollback to-upload from-upload from-app; do
  [ -p "$RUN/$each" ] || mkfifo -m 0666 "$RUN/$each"
done
