#!/usr/bin/env bash
# Makes a PULUMI_HOME that works without downloads: install.sh FOLDER
# FOLDER/bin holds the CLI with the language host next to it, where the CLI finds it without a warning, unless this machine has a
# CLI of its own; FOLDER/plugins the providers. To be used with PULUMI_HOME=FOLDER and FOLDER/bin first on PATH.
# Official plugins are used where they are: on PATH the CLI prefers them itself; in FOLDER they stay; in ~/.pulumi they are linked.
source "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"

# link TARGET PATH: left alone where it is right already, because a CLI that is at work may be looking for it.
link() { [ "$(readlink "$2" 2>/dev/null)" = "$1" ] || ln -sfn "$1" "$2"; }

home=${1:?usage: install.sh FOLDER}
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
mkdir -p "$home/bin" "$home/plugins"

if own_pulumi; then
  rm -f "$home/bin/pulumi" "$home/bin/pulumi-language-nodejs"
else
  cli=$("$root/tools/build.sh" --path pulumi)
  [ -x "$cli" ] || fail "the Pulumi CLI is not built: $cli"
  # A hard link, not a symbolic one: the CLI looks for the language host next to what a symbolic link points at.
  [ "$home/bin/pulumi" -ef "$cli" ] || ln -f "$cli" "$home/bin/pulumi" 2>/dev/null || cp -f "$cli" "$home/bin/pulumi"
  link "$here/bin/pulumi-language-nodejs" "$home/bin/pulumi-language-nodejs"
fi

for name in kubernetes random tls; do
  version=$(node -p "require('$root/node_modules/@pulumi/$name/package.json').version")
  plugin=resource-$name-v$version/pulumi-resource-$name
  official=$HOME/.pulumi/plugins/$plugin
  chosen=$here/bin/pulumi-resource-$name
  if [ -x "$official" ]; then chosen=$official; fi
  if [ -x "$home/plugins/$plugin" ] && [ ! -L "$home/plugins/$plugin" ]; then continue; fi # official, or the user's own
  if [ "$chosen" != "$official" ] && [ ! -e "$home/plugins/$plugin" ]; then
    say "the official $name plugin is not installed: this project's stand-in is used, for tests and demonstrations"
  fi
  mkdir -p "$(dirname "$home/plugins/$plugin")"
  link "$chosen" "$home/plugins/$plugin"
done
