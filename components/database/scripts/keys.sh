#!/bin/sh
# Stops a deployment that would start the application $APPLICATION with other keys than those that its data was written with. $KEYS has
# their fingerprints (see keys.sql); their values are in Secret $KEPT_SECRET of $NAMESPACE. Safe to run again.
# Connects with CONNECTION_URI or libpq's own variables, as the role that owns the database. Needs sh and psql.
# shellcheck source=components/database/scripts/backup-lib.sh
. "$(dirname "$0")/backup-lib.sh"

connect
query -F ' ' -f "$(dirname "$0")/keys.sql" >"$scratch/verdicts" 2>"$said" || {
  cat "$said" >&2
  ! grep -q 'permission denied for database' "$said" ||
    fail "the login may not make the schema in which the application's keys are recorded: let an administrator run in this database: CREATE SCHEMA postgres_app AUTHORIZATION $(query -c 'SELECT quote_ident(current_user)')"
  fail "the application's keys cannot be compared with those of its data: the lines above say why"
}

refused='' commands='' values='' rotations=''
while read -r verdict variable config kept_in next since; do
  case $verdict in
    first) echo "$variable is recorded as a key of this data" ;;
    same) echo "$variable is the one that the data was written with" ;;
    rotated) echo "$variable is another one than before, on purpose (rotation)" ;;
    refused)
      refused="$refused, $variable (since $since)"
      commands="$commands
  kubectl get secret -n ${kept_in%/*} ${kept_in#*/} -o go-template='{{.data.$variable | base64decode}}' | pulumi config set --secret $config"
      values="$values, $variable: { value: config.getSecret(\"$config\") }"
      rotations="$rotations, $variable: { rotation: $next }"
      ;;
  esac
done <"$scratch/verdicts"

# Of this Kubernetes shows the last 2048 bytes.
[ -z "$refused" ] || fail "stopped before migration and application, which could not read what is stored.
The data was written with another value of ${refused#, }.
Either supply the former value, from the copy that was kept of it:$commands
  generatedSecrets: { ${values#, } }
If that copy is gone, look for it among the others:
  kubectl get secret -n $NAMESPACE -l app.kubernetes.io/instance=$APPLICATION,app.kubernetes.io/component=kept-secrets
Or begin with a new value on purpose, and give up what only the former can read:
  generatedSecrets: { ${rotations#, } }"
