#!/usr/bin/env bash
# Makes a PULUMI_HOME that works without downloads, and prints its folder.
# Its bin/ holds the CLI with the language host next to it, where the CLI finds it without a warning, unless this machine has a CLI of
# its own; its plugins/ the providers. To be used with PULUMI_HOME set to it and its bin/ first on PATH.
# Official plugins are used where they are: on PATH the CLI prefers them itself; those in ~/.pulumi are linked. The Kubernetes plugin is
# built from its module elsewhere, random and tls have stand-ins.
source "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"

cli=$("$tools/build.sh" --path pulumi)
kubernetes=$("$tools/build.sh" --path plugin)
programs=$tools/dist
[ -d "$programs" ] || fail 'the language host and the stand-ins are not built: run "make build" first'

# A home for each content: what another clone of this repository uses is left alone.
own=no
if own_pulumi; then own=yes; fi
home=$cache/pulumi-home/$({ echo "$own $cli $kubernetes" "$HOME"/.pulumi/plugins/resource-* && cat "$programs"/pulumi-* "$root/package-lock.json"; } | sha256sum | cut -c1-16)
if [ -e "$home/complete" ]; then
  echo "$home"
  exit
fi

# install FROM TO: a hard link where it can be one. The CLI looks for the language host next to what a symbolic link points at.
install() {
  [ -x "$1" ] || fail "$1 is not built"
  mkdir -p "$(dirname "$2")"
  ln -f "$1" "$2" 2>/dev/null || cp -f "$1" "$2"
}

mkdir -p "$home/bin"
if [ "$own" = no ]; then
  install "$cli" "$home/bin/pulumi"
  cp -f "$programs/pulumi-language-nodejs" "$home/bin/"
fi
for name in kubernetes random tls; do
  version=$(node -p "require('$root/node_modules/@pulumi/$name/package.json').version")
  plugin=resource-$name-v$version/pulumi-resource-$name
  official=$HOME/.pulumi/plugins/$plugin
  mkdir -p "$(dirname "$home/plugins/$plugin")"
  if [ -x "$official" ]; then
    ln -sfn "$official" "$home/plugins/$plugin"
  elif [ "$name" = kubernetes ]; then
    say "the official $name plugin $version is not installed: 4.25, built from its module, is used"
    install "$kubernetes" "$home/plugins/$plugin"
  else
    say "the official $name plugin is not installed: this project's stand-in is used, for tests and demonstrations"
    cp -f "$programs/pulumi-resource-$name" "$home/plugins/$plugin"
  fi
done
touch "$home/complete"
echo "$home"
