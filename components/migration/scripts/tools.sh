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
mkfifo -m 0666 "$RUN/to-guard" "$RUN/to-migration" "$RUN/to-rollback" "$RUN/from-rollback" "$RUN/to-upload" "$RUN/from-upload"
