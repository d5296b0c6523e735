#!/usr/bin/env bash
# Prints the shell lines that make a terminal use this project's toolchain and cluster: eval "$(make -s env)"
# Official tools win: a Pulumi CLI, language host or provider plugin that is installed is used, and only what is missing is
# stood in for. CONTEXT=<kubectl context> names the cluster; without it, it is the local one, never the current context.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

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
pulumi_home=$("$tools/pulumi/install.sh")
path=${PATH//"$pulumi_home/bin:$cache/bin:"/}
# The state lives and dies with the local cluster; with a cluster of yours it is kept beside its kubeconfig, or where you say.
backend=file://$folder/pulumi
[ -z "${CONTEXT:-}" ] || backend=${PULUMI_BACKEND_URL:-$backend}
mkdir -p "$folder/pulumi"

printf 'export %s=%q\n' \
  PATH "$pulumi_home/bin:$cache/bin:$path" \
  PULUMI_HOME "$pulumi_home" \
  KUBECONFIG "$folder/kubeconfig" \
  PULUMI_BACKEND_URL "$backend" \
  PULUMI_CONFIG_PASSPHRASE "${PULUMI_CONFIG_PASSPHRASE-local}" \
  PULUMI_SKIP_UPDATE_CHECK true
