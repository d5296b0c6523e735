#!/usr/bin/env bash
# Installs what is missing: the npm packages, and with the argument "cluster" what the local cluster and its images are made with from
# Debian. Says nothing and takes no time when all is there.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

# What must be there (a command, or a file or a module of Python for what is no command) and the Debian package that has it.
needs='
etcd                                   etcd-server
containerd                             containerd
runc                                   runc
/usr/lib/cni/bridge                    containernetworking-plugins
iptables                               iptables
ip                                     iproute2
debootstrap                            debootstrap
envsubst                               gettext-base
openssl                                openssl
python3                                python3
python:ensurepip                       python3-venv
gcc                                    gcc
/usr/include/stdlib.h                  libc6-dev
/usr/share/keyrings/debian-archive-trixie-stable.gpg  debian-archive-keyring
shellcheck                             shellcheck
'
# For what enforces network policies.
[ -z "${NIGHTLY:-}" ] || needs+='
ipset                                  ipset
'

check_node() {
  local major
  command -v node >/dev/null || fail "Node.js is missing: install Node 20 or newer"
  major=$(node -p 'process.versions.node.split(".")[0]')
  [ "$major" -ge 20 ] || fail "Node.js $(node --version) is too old: install Node 20 or newer"
}

missing_packages() {
  local need package
  while read -r need package; do
    [ -n "$need" ] || continue
    case $need in
      /*) [ -e "$need" ] || echo "$package" ;;
      python:*) python3 -c "import ${need#python:}" 2>/dev/null || echo "$package" ;;
      *) command -v "$need" >/dev/null || echo "$package" ;;
    esac
  done <<<"$needs"
}

# The packages of etcd and containerd would start services of their own, which nobody here asked for.
install_packages() {
  local policy=/usr/sbin/policy-rc.d made='' service
  command -v apt-get >/dev/null || fail "these Debian packages (or what they hold) are needed and apt-get is not there to install them: $*"
  [ "$(id -u)" -eq 0 ] || fail "root is needed to install: $*"
  say "installing $*: about $(minutes 30)"
  if [ ! -e "$policy" ]; then
    printf '#!/bin/sh\nexit 101\n' >"$policy"
    chmod +x "$policy"
    made=yes
    trap 'rm -f /usr/sbin/policy-rc.d' EXIT
  fi
  apt-get update -qq >&2
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends -o Dpkg::Use-Pty=0 "$@" >"$cache/apt.log" 2>&1 || {
    tail -n 20 "$cache/apt.log" >&2
    fail "apt-get install failed; the whole log is $cache/apt.log"
  }
  if [ -n "$made" ]; then
    rm -f "$policy"
    trap - EXIT
  fi
  for service in etcd containerd; do
    case " $* " in
      *" $service"*) systemctl disable --quiet "$service" 2>/dev/null || true ;; # nor at the next boot
    esac
  done
}

# npm itself keeps a copy of the lock file that it installed from.
npm_packages() {
  local installed=$root/node_modules/.package-lock.json
  [ ! -e "$installed" ] || [ "$root/package-lock.json" -nt "$installed" ] || return 0
  say "npm ci: about $(minutes 30)"
  (cd "$root" && npm ci --no-audit --no-fund >&2)
  touch "$installed"
}

check_node
if [ "${1:-}" = cluster ]; then
  mapfile -t packages < <(missing_packages)
  [ ${#packages[@]} -eq 0 ] || install_packages "${packages[@]}"
fi
npm_packages
