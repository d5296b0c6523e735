# shellcheck shell=sh disable=SC2154
# Sourced by run.sh, never run. A database that a newer release has migrated.

# ahead TEXT: the way back, where a tool said that it does not know what the database has; nothing where it said nothing of the kind. In
# the shell's own words, as passing.sh.
ahead() {
  case $1 in
    *'migration directory is corrupt'* | *"Can't locate revision identified by"* | *'no migration found for version'* | *'Detected applied migration not resolved locally'*)
      echo "a release that this one does not know has migrated the database; to go back to this one and leave the schema as it is, set ${SHARED_PREFIX}goBackTo to its image"
      ;;
  esac
}
