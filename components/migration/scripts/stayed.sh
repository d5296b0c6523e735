#!/bin/sh
# Sourced by bring-back.sh: whether something of a migration that failed has stayed in the database. A restore cannot be taken back, and takes
# with it what others wrote meanwhile, which nothing in Postgres tells from what the migration wrote. So it is made for what is known to have
# stayed.
# shellcheck disable=SC2034,SC2154 # what guard.sh has set, and what it is told

# opened: how many connections the containers of this pod have made so far, begun less failed.
opened() {
  sed -n 's/^Tcp:\( [^ ]*\)\{4\} \([0-9][0-9]*\) [0-9]* \([0-9]*\) .*/\2 \3/p' /proc/net/snmp 2>/dev/null | {
    read -r begun_ failed_ && echo "$((begun_ - failed_))"
  }
}

# Those of the command are those made while it runs, but for our own: rather too many than too few. Where they cannot be counted
# $its_connections is empty.
its_connections='' opened_at=''
# command_begins, command_ended: its tries, one or more.
command_begins() {
  unasked
  opened_at=$(opened) || opened_at=''
  unasked
  : >"$scratch/ours"
}
command_ended() {
  [ -n "$opened_at" ] && [ -n "$its_connections" ] || return 0
  unasked
  ours=$(grep -c '' "$scratch/ours" || true)
  opened_by_then=$(opened) || opened_by_then=''
  if [ -z "$opened_by_then" ] || [ -z "$its_connections" ]; then
    its_connections=''
    return
  fi
  its_connections=$((its_connections + opened_by_then - opened_at - ours))
  opened_at=''
}
# unasked: waits for the end of what guard.sh asks just now, so that it is counted whole.
unasked() {
  tries=0
  while [ -e "$scratch/asking" ]; do
    [ "$((tries += 1))" -lt 300 ] || {
      its_connections=''
      return
    }
    sleep 0.1
  done
}

# look_before: right before the command may begin for the first time.
look_before() {
  addresses=$(hostname -i 2>/dev/null | tr ' ' ',') # of the pod: Kubernetes writes them into /etc/hosts
  query -v name="$(printf %.52s "$POD") migrating" -v addresses="{${addresses%,}}" -f "$here/writers.sql" >"$scratch/writers" 2>/dev/null &
  watching=$!
  tries=0
  until [ -s "$scratch/writers" ] || [ "$((tries += 1))" -gt 100 ] || ! kill -0 "$watching" 2>/dev/null; do sleep 0.1; done
  opened_before=$(opened) || opened_before=''
  next_before=$(query -f "$here/before.sql" 2>/dev/null) || next_before=''
  # Where our own connection does not show, the command's would not either.
  [ -z "$opened_before" ] || [ "$(opened)" = "$opened_before" ] || its_connections=0
}

# ask_server: sets $found to what the server knows of writing since (stayed.sql).
ask_server() {
  found=$(query -v next="$next_before" -v seen="{$(grep '^[0-9]' "$scratch/writers" | sort -u | tr '\n' ',' | sed 's/,$//')}" \
    -f "$here/stayed.sql" 2>"$scratch/asked-server")
}

# schema_of DUMP: sets $sum to that of the schema in it. What fills a materialized view counts as schema to pg_restore, and is only in a dump
# with data.
schema_of() {
  pg_restore --list "$1" >"$scratch/list" &&
    grep -v -E '^[0-9]+; [0-9]+ [0-9]+ MATERIALIZED VIEW DATA ' "$scratch/list" >"$scratch/entries" &&
    pg_restore --schema-only --use-list="$scratch/entries" --file="$scratch/plain" "$1" &&
    grep -v -E '^\\(un)?restrict ' "$scratch/plain" >"$scratch/comparable" &&
    sum=$(sha256sum <"$scratch/comparable")
}
# compare_schema: sets $schema to "same", "other" or, where somebody has it locked, say, "unknown".
compare_schema() {
  schema=unknown
  pg_dump --format=custom --schema-only --no-password --lock-wait-timeout=30s ${CONNECTION_URI:+-d "$CONNECTION_URI"} \
    --file="$scratch/schema" && schema_of "$FOLDER/$backup" || return 0
  sum_before=$sum
  schema_of "$scratch/schema" || return 0
  if [ "$sum" = "$sum_before" ]; then schema=same; else schema=other; fi
}

# stayed: sets $stayed to "yes", "no" or "perhaps", and $why to why it is not "yes".
stayed() {
  stayed=yes
  if [ "$its_connections" = 0 ]; then
    stayed=no why='the command never connected to anything'
    return
  fi
  found=others
  if [ -n "$next_before" ]; then
    end=$(($(date +%s) + 60))
    until ask_server; do
      [ "$(date +%s)" -lt "$end" ] || {
        stayed=perhaps why="the server cannot be asked what has stayed ($(tail -n 1 "$scratch/asked-server"))"
        return
      }
      sleep 1
    done
  fi
  case $found in
    nothing) stayed=no why='no transaction was committed on the server while it ran' ;;
    others)
      [ -z "$migrated" ] || return 0
      compare_schema 2>"$scratch/compared"
      case $schema in
        same) stayed=perhaps why="the schema is as it was, and whose rows were written meanwhile, the migration's or others', is not known" ;;
        unknown) stayed=perhaps why="the schema could not be compared with the backup's ($(sed -n '/[Ee][Rr][Rr][Oo][Rr]/{p;q;}' "$scratch/compared"))" ;;
      esac
      ;;
  esac
}
