import { MigrationJobArgs } from "../../index";
import { MigratedDatabase } from "./migrations";

/** Where a run can be met: points of the tool, in their order. */
export const TOOL_POINTS = ["begin", "open", "insert", "ddl", "commit", "after", "verify"] as const;

/**
 * A tool as most are: what has been applied stands in a table with a unique key, and goes there in one transaction with the change.
 * At one point, named by $POINT, it says that it is there and waits for $WAIT seconds, in its first run only; where no statement
 * of its own is running, a kill of the server or `release` ends that. What it says is in the database "marks".
 */
const TOOL = `
marks() { psql -XAtq -d marks -c "$1" 2> /dev/null; }
cat > /tmp/at <<'END'
marks() { psql -XAtq -d marks -c "$1" 2> /dev/null; }
[ "$POINT" = "$1" ] && [ -n "$(marks "INSERT INTO marks VALUES ('$PGDATABASE') ON CONFLICT DO NOTHING RETURNING 1")" ] && seconds=$WAIT || seconds=0
[ -z "\${2:-}" ] || { echo "$seconds"; exit; }
while [ "$seconds" -gt 0 ] && [ -n "$(marks 'SELECT 1 WHERE NOT EXISTS (SELECT FROM released)')" ]; do sleep 1; seconds=$((seconds - 1)); done
END
wait_at() { sh /tmp/at "$1" & wait $!; }
on_term() {
  marks "INSERT INTO terminated VALUES ('$PGDATABASE')"
  echo "got SIGTERM"
  exit 1
}
trap on_term TERM
done=$(psql -XAtq -c "SELECT count(*) FROM applied") || exit 1
if [ "$done" = 1 ]; then
  echo "nothing to do"
  exit 0
fi
wait_at begin
psql -Xq -v ON_ERROR_STOP=1 <<'END' || exit 1
BEGIN;
\\! sh /tmp/at open
INSERT INTO applied VALUES (1);
\\! sh /tmp/at insert
CREATE TABLE things AS SELECT 1 AS n;
\\set seconds \`sh /tmp/at ddl seconds\`
SELECT pg_sleep(:seconds);
\\set seconds \`sh /tmp/at commit seconds\`
SELECT pg_sleep(:seconds) \\; INSERT INTO things VALUES (2) \\; COMMIT;
END
wait_at after
`;
const VERIFY = 'sh /tmp/at verify; [ "$(psql -XAtq -c "SELECT count(*) FROM things")" = 2 ]';

/** Databases, one for each point, in which the tool migrates. */
export class Points {
  constructor(
    readonly database: MigratedDatabase,
    readonly all: readonly string[],
  ) {}

  name = (point: string) => `at${point}`;

  async make(): Promise<void> {
    await this.database.make("marks");
    await this.database.sql(
      "CREATE TABLE marks (name text PRIMARY KEY); CREATE TABLE terminated (name text); CREATE TABLE released (n int)",
      "marks",
    );
    for (const point of this.all) {
      await this.database.make(this.name(point));
      await this.database.sql("CREATE TABLE applied (n int PRIMARY KEY)", this.name(point));
    }
  }

  /** As if nothing had been done. */
  async reset(): Promise<void> {
    await this.database.sql("DELETE FROM marks; DELETE FROM terminated; DELETE FROM released", "marks");
    for (const point of this.all) await this.database.sql("DELETE FROM applied; DROP TABLE IF EXISTS things", this.name(point));
  }

  /** Arguments of the migrations, by the point at which each can be met. */
  args(wait: number, more: Partial<MigrationJobArgs> = {}, points = this.all): Record<string, MigrationJobArgs> {
    const one = (point: string) =>
      this.database.command(["sh", "-c", TOOL], {
        verify: ["sh", "-c", VERIFY],
        connectionSecretName: this.name(point),
        env: { POINT: point, WAIT: String(wait) },
        timeoutSeconds: 90,
        ...more,
      });
    return Object.fromEntries(points.map((point) => [this.name(point), one(point)]));
  }

  async release(): Promise<void> {
    await this.database.sql("INSERT INTO released VALUES (1)", "marks");
  }

  /** Those at which a tool has arrived. */
  async reached(): Promise<string[]> {
    return (await this.database.rows("SELECT name FROM marks", "marks")).split("\n").filter(Boolean);
  }

  /** What each database holds: the row that says it is applied, and the two of the change. */
  async applied(points = this.all): Promise<Record<string, string>> {
    const rows = "SELECT (SELECT count(*) FROM applied) || ' ' || (SELECT count(*) FROM things)";
    const each = points.map(async (point) => [point, await this.database.rows(rows, this.name(point))]);
    return Object.fromEntries(await Promise.all(each));
  }
}

export const once = (points: readonly string[]) => Object.fromEntries(points.map((point) => [point, "1 2"]));
