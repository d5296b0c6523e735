#!/usr/bin/env bash
# Prints the shell lines that make a terminal use this project's toolchain and cluster: eval "$(make -s env)"
# Official tools win: a Pulumi CLI, language host or provider plugin that is installed is used, and only what is missing is
# stood in for. CONTEXT=<kubectl context> names the cluster; without it, it is the local one, never the current context.
# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

least_pulumi=3.230.0

# Whether this machine's own Pulumi CLI is recent enough.
own_pulumi() {
  local path
  path=$(PATH=${PATH//"$cache/pulumi-home/bin:"/} command -v pulumi) || return 1
  [ "$(printf '%s\n' "v$least_pulumi" "$("$path" version 2>/dev/null)" | sort -V | head -n 1)" = "v$least_pulumi" ]
}

# The Pulumi CLI, its language host and the provider plugins, in a PULUMI_HOME of this project's: the official ones where they
# are installed, stand-ins where they are not.
pulumi_home=$cache/pulumi-home
"$tools/pulumi/install.sh" "$pulumi_home" >&2
bin=$pulumi_home/bin

# A kubeconfig that holds one context and has it as the current one.
context_kubeconfig() {
  local folder=$cache/contexts/${CONTEXT//[^A-Za-z0-9._-]/_}
  mkdir -p "$folder"
  (
    umask 077
    kubectl config view --context="$CONTEXT" --minify --flatten >"$folder/kubeconfig" ||
      fail "there is no context \"$CONTEXT\" in your kubeconfig; \`kubectl config get-contexts\` lists them"
  )
  echo "$folder"
}

folder=$cluster
[ -z "${CONTEXT:-}" ] || folder=$(context_kubeconfig)
path=$bin:${PATH//"$bin:"/}
# The state lives and dies with the local cluster; with a cluster of yours it is kept beside its kubeconfig, or where you say.
backend=file://$folder/pulumi
[ -z "${CONTEXT:-}" ] || backend=${PULUMI_BACKEND_URL:-$backend}
mkdir -p "$folder/pulumi"

printf 'export %s=%q\n' \
  PATH "$path" \
  PULUMI_HOME "$pulumi_home" \
  KUBECONFIG "$folder/kubeconfig" \
  PULUMI_BACKEND_URL "$backend" \
  PULUMI_CONFIG_PASSPHRASE "${PULUMI_CONFIG_PASSPHRASE-local}" \
  PULUMI_SKIP_UPDATE_CHECK true
