import { Namespace } from "../../test/support/kubectl";

/** Seconds that a command in the database's pod may take. */
const LIMIT = 300;
const POD = "db-0";

/** About 1 GB in the database, and text that compresses to half of that. */
const FILL = `SET ROLE notes;
  CREATE TABLE bulk AS SELECT i AS id, md5(i::text) || md5((-i)::text) AS text FROM generate_series(1, 10000000) AS i;`;

export const ADMIN = 'export PGPASSWORD="$(cat "$ADMIN_PASSWORD_FILE")" PGHOST=127.0.0.1 PGUSER="$ADMIN_USER" PGDATABASE=notes';

/** Fills the database, and says how many megabytes it has then. */
export const fillDatabase = async (namespace: Namespace): Promise<number> =>
  Number(
    await inPod(
      namespace,
      `${ADMIN}; psql -X -q -A -t -v ON_ERROR_STOP=1`,
      `${FILL}\nSELECT pg_database_size('notes') / 1000000;\n`,
    ),
  );

/** What a command in the database's pod prints. */
export async function inPod(namespace: Namespace, line: string, input?: string): Promise<string> {
  const { code, stdout, stderr } = await namespace.exec(POD, ["sh", "-ec", line], { seconds: LIMIT, input });
  if (code !== 0) throw new Error(`${line}: exit ${code}\n${stdout}${stderr}`);
  return stdout.trim();
}
