#!/usr/bin/env bash
# Shared by down.sh and node.sh: ends what runs on a node (its processes and containers, those and no others), from whatever state
# it is in, and leaves nothing of it but its folder.
# Sourced, never run.

source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

# kill_all PID...: at once; what they would tidy up is removed below. Waits until they are gone.
kill_all() {
  [ $# -gt 0 ] || return 0
  kill -KILL "$@" 2>/dev/null || true
  wait_for 10 "the end of the processes $*" gone "$@"
}

gone() {
  local pid
  for pid in "$@"; do ! identity "$pid" >/dev/null || return 1; done
}

stop_processes() {
  local name
  # shellcheck disable=SC2046 # numbers, or nothing
  kill_all $(for name in $processes; do pid_of "$name" || true; done)
}

# Where our containerd has a folder for each container.
tasks() { echo "$folder/run/containerd/io.containerd.runtime.v2.task/k8s.io"; }

# The processes that keep our containers: they name our containerd's socket, which is nobody else's.
shims() {
  local file arguments
  for file in /proc/[0-9]*/cmdline; do
    { mapfile -d '' -t arguments <"$file"; } 2>/dev/null || continue
    [[ ${arguments[0]:-} == *containerd-shim* && " ${arguments[*]} " == *" -address $socket "* ]] || continue
    file=${file#/proc/}
    echo "${file%/cmdline}"
  done
}

# What runs in our containers: its control group is named by the container, whose id is the name of a folder of our containerd.
contained() {
  local tasks file group
  tasks=$(tasks)
  for file in /proc/[0-9]*/cgroup; do
    while IFS=: read -r _ _ group; do
      group=${group##*/}
      [ -n "$group" ] && [ -d "$tasks/$group" ] || continue
      file=${file#/proc/}
      echo "${file%/cgroup}"
      break
    done 2>/dev/null <"$file" || true
  done
}

# Shims first: one that sees its container end would call for more programs.
stop_containers() {
  # shellcheck disable=SC2046 # numbers, or nothing
  kill_all $(shims)
  # shellcheck disable=SC2046
  kill_all $(contained)
}

# Mounts below our folder, the last one first. In the list, a space in a path is \040.
mounts() {
  local path
  while read -r _ _ _ _ path _; do
    printf -v path '%b' "${path//\\/\\0}"
    [[ $path != "$folder"/* ]] || printf '%s\n' "$path"
  done </proc/self/mountinfo | tac
}

# One may take others of the list with it, or lay bare another below it: again until there are none.
unmount() {
  local path attempt
  for attempt in 1 2 3 4 5 6 7 8 9 10; do
    [ -n "$(mounts)" ] || return 0
    mounts | while read -r path; do umount "$path" 2>/dev/null || umount --lazy "$path" 2>/dev/null || true; done
  done
  [ -z "$(mounts)" ] || fail "after $attempt attempts these mounts are still there: $(mounts | tr '\n' ' ')"
}

# The shims' sockets are in a folder that all of containerd's shims share; each task says which is its own.
remove_shim_sockets() {
  local file address
  for file in "$(tasks)"/*/address; do
    [ -e "$file" ] || continue
    address=$(cat "$file")
    rm -f "${address#unix://}"
  done
}

remove_groups() {
  local group
  for group in /sys/fs/cgroup/"$groups" /sys/fs/cgroup/*/"$groups"; do
    [ ! -d "$group" ] || find "$group" -depth -type d -exec rmdir {} +
  done
}

# What the network plugins remember of each pod names its network namespace, which was in our folder.
remove_network_results() {
  grep -lsF "$folder/" /var/lib/cni/results/* | while read -r result; do rm -f "$result"; done || true
}

stop_node() {
  stop_processes
  stop_containers
  unmount
  remove_shim_sockets
  remove_network_results
  remove_groups
}
