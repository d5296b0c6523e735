# shellcheck shell=sh
# Sourced by run.sh, never run. Locks and notes of tools that outlive a run which was killed.

# left_behind TEXT HELD: what a tool said of one, and how to be rid of it; nothing where it said nothing of the kind. HELD is "yes" where
# this run had the lock of the database, so that no other one can be at it. In the shell's own words, as passing.sh.
left_behind() {
  nobody='make sure that nobody else is migrating, and'
  [ "$2" != yes ] || nobody='no other run is at it, because this one had the lock of the database:'
  look='find out what of that migration is in the database, and'
  case $1 in
    *'Could not acquire change log lock'*)
      echo "Liquibase's own lock (table databasechangeloglock) was left behind by a run that was killed; $nobody release it with liquibase release-locks"
      ;;
    *'Migration table is already locked'*)
      echo "knex' own lock (table knex_migrations_lock) was left behind by a run that was killed; $nobody release it with knex migrate:unlock"
      ;;
    *'migrate found failed migrations'*)
      echo "Prisma notes a migration as failed that failed or was killed before; $look say prisma migrate resolve --rolled-back <migration> if it is to run again, --applied <migration> if all of it is there"
      ;;
    *'Dirty database version'*)
      echo "golang-migrate notes a version as dirty that failed or was killed before; $look say migrate … force <version>: the one before if it is to run again, its own if all of it is there"
      ;;
    *'Detected failed migration to version'* | *'Detected failed repeatable migration'* | *'contains a failed migration to version'*)
      echo "Flyway notes a migration as failed that failed or was killed before; $look remove it, then say flyway repair"
      ;;
  esac
}
