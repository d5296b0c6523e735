#!/bin/sh
# Stops a deployment that would start the application $APPLICATION with other keys than those that its data was written with. $KEYS has
# their fingerprints (see keys.sql); their values are in Secret $KEPT_SECRET of $NAMESPACE. Those that are taken from a Secret which was
# there before are in $FORMER_KEYS, a line "<variable> <rotation> <Secret>" each, with the value in KEY_<variable>. Safe to run again.
# Connects with CONNECTION_URI or libpq's own variables, as the role that owns the database. Needs sh and psql.
# shellcheck source=components/database/scripts/backup-lib.sh
. "$(dirname "$0")/backup-lib.sh"

config() { echo "$1" | awk -F _ '{ for (i = 1; i <= NF; i++) printf "%s", i == 1 ? tolower($i) : toupper(substr($i, 1, 1)) tolower(substr($i, 2)) }'; }

missing='' values='' rotations=''
while read -r variable rotation secret; do
  [ -n "$variable" ] || continue
  eval "value=\${KEY_$variable-}"
  if [ -z "$value" ]; then
    missing="$missing, $variable (Secret $secret)"
    values="$values, $variable: { value: config.getSecret(\"$(config "$variable")\") }"
    rotations="$rotations, $variable: { rotation: $((rotation + 1)) }"
  else
    fingerprint=$(printf 'pulumi-postgres-app\0%s\0%s' "$variable" "$value" | sha256sum | cut -d ' ' -f 1)
    KEYS="${KEYS:+$KEYS
}$variable $fingerprint $rotation $secret"
  fi
done <<END
${FORMER_KEYS:-}
END
export KEYS
[ -z "$missing" ] || fail "stopped before migration and application, which could not read what is stored.
The Secret is gone that has the value of ${missing#, }, or the value in it.
Either bring it back under its name in namespace $NAMESPACE, or look for another copy:
  kubectl get secret -n $NAMESPACE -l app.kubernetes.io/instance=$APPLICATION,app.kubernetes.io/component=kept-secrets
  generatedSecrets: { ${values#, } }
Or begin with a new value on purpose, and give up what only the former can read:
  generatedSecrets: { ${rotations#, } }"

connect
query -F ' ' -f "$(dirname "$0")/keys.sql" -f "$(dirname "$0")/own-rights.sql" >"$scratch/verdicts" 2>"$said" || {
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
