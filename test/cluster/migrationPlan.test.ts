import * as assert from "assert";
import * as pulumi from "@pulumi/pulumi";
import { MigrationJob, MigrationJobArgs, planMigration } from "../../index";
import { Namespace } from "../support/kubectl";
import { failed, MigratedDatabase, succeeded, TestStack } from "../support/migrations";
import { changesNothing } from "../support/stack";

describe("what is found out before a migration", function () {
  this.timeout(240_000);
  let namespace: Namespace;
  let database: MigratedDatabase;
  const stacks: TestStack[] = [];

  before(async () => {
    namespace = await Namespace.create("plan");
    database = await MigratedDatabase.start(namespace);
  });
  after(async () => {
    await Promise.all(stacks.map((stack) => stack.remove()));
    await database?.server.stop();
    await namespace?.delete();
  });

  const newStack = async () => {
    const stack = await TestStack.create("plan");
    stacks.push(stack);
    return stack;
  };
  const program =
    (args: MigrationJobArgs, name = "m", opts?: pulumi.ComponentResourceOptions) =>
    async () => {
      const { jobName, pendingMigrations, pendingHash, rehearsalReport } = new MigrationJob(name, args, opts);
      return { jobName, pendingMigrations, pendingHash, rehearsalReport };
    };
  const exists = (table: string, name = "app") => database.rows(`SELECT to_regclass('${table}') IS NOT NULL`, name);
  /** New ones; those of refusals are removed by the next `up` that succeeds. */
  const planPods = (changes: string[]) => changes.filter((change) => /^create.*core\/v1:Pod/.test(change));

  describe("the list of pending migrations", () => {
    const LIST = ["sh", "-c", "printf '\\033[31mdown\\033[0m 001-first.js\\n\\n  \\ndown 002-second.js\\n'; exit 1"];
    const asked = (more: Partial<MigrationJobArgs> = {}) =>
      program(database.psql("CREATE TABLE listed (n int)", { pending: LIST, ...more }));
    let stack: TestStack;
    let hash: string;

    it("is shown and refused without its approval, and nothing is migrated", async () => {
      stack = await newStack();
      const output = failed(await stack.up(asked({ approval: "" })));
      assert.match(
        output,
        /nothing was migrated: not approved; pending with docker\.io\/library\/postgres:17:\s+down 001-first\.js\s+down 002-second\.js/,
      );
      hash = /set approval to "([0-9a-f]{12})"/.exec(output)![1];
      assert.match(output, new RegExp(`pulumi config set approvedMigrations ${hash}`));
      assert.match(failed(await stack.up(asked({ approval: "0123456789ab" }))), /approved is another list \(0123456789ab\)/);
      assert.strictEqual(await exists("listed"), "f");
    });

    it("lets the migration go with its hash, and is not made again", async () => {
      const { changes, output, outputs } = succeeded(await stack.up(asked({ approval: hash })));
      assert.deepStrictEqual(planPods(changes), []);
      assert.match(output, new RegExp(`pending migrations \\(${hash}, exit code 1\\):\\s+down 001-first\\.js`));
      assert.strictEqual(outputs.pendingMigrations, "down 001-first.js\ndown 002-second.js");
      assert.strictEqual(outputs.pendingHash, hash);
      assert.strictEqual(await exists("listed"), "t");
      changesNothing(await stack.up(asked({ approval: hash })));
      changesNothing(await stack.preview(asked({ approval: hash })));
    });

    it("is not listed again when its pod is lost with its node and the migration is done", async () => {
      const plans = () => namespace.items("pods", "-l", "app.kubernetes.io/component=migration-plan");
      const former = (await plans()).map(({ metadata }) => metadata.name);
      await namespace.kubectl(["delete", "pod", ...former, "--now"]);
      const { changes, outputs } = succeeded(await stack.up(asked({ approval: hash }), { refresh: true }));
      assert.strictEqual(planPods(changes).length, 1, changes.join("\n"));
      assert.deepStrictEqual(
        changes.filter((change) => change.includes("Job")),
        [],
      );
      assert.strictEqual(outputs.pendingMigrations, "down 001-first.js\ndown 002-second.js");
      const [{ metadata }] = await plans();
      const log = (container: string) => namespace.kubectl(["logs", metadata.name, "--container", container]);
      assert.match(await log("report"), /^the migration has succeeded since; what was found out before it:\n#pending/);
      assert.strictEqual(await log("pending"), "");
      changesNothing(await stack.preview(asked({ approval: hash }), { refresh: true }));
    });

    it("is not made again, nor anything run, for annotations that a former version of this package did not give", async () => {
      const without = (metadata: any) => {
        const {
          "karpenter.sh/do-not-disrupt": _,
          "cluster-autoscaler.kubernetes.io/safe-to-evict": __,
          ...rest
        } = metadata.annotations;
        const { annotations, ...others } = metadata;
        return Object.keys(rest).length ? { ...others, annotations: rest } : others;
      };
      const former: pulumi.ResourceTransform = ({ type, props, opts }) => {
        if (type === "kubernetes:core/v1:Pod") return { props: { ...props, metadata: without(props.metadata) }, opts };
        if (type !== "kubernetes:batch/v1:Job") return undefined;
        const { template, ...spec } = props.spec;
        return { props: { ...props, spec: { ...spec, template: { ...template, metadata: without(template.metadata) } } }, opts };
      };
      const args = database.psql("SELECT 1", { pending: LIST });
      const upgraded = await newStack();
      succeeded(await upgraded.up(program(args, "former", { transforms: [former] })));
      const pods = await namespace.items("pods", "-l", "app.kubernetes.io/instance=former");
      assert.strictEqual(pods.length, 3);
      for (const { metadata } of pods) assert.ok(!("karpenter.sh/do-not-disrupt" in (metadata.annotations ?? {})), metadata.name);
      changesNothing(await upgraded.preview(program(args, "former")));
    });

    it("is refused when it cannot be made, with the reason", async () => {
      const output = failed(await stack.up(asked({ pending: ["no-such-program"], rerun: "2" })));
      assert.match(output, /the list of pending migrations cannot be made: the image has no "no-such-program"/);
      assert.match(output, /pulumi up --replace 'urn:/);
    });
  });

  it("works with a real tool: Sequelize's list and migrations, rehearsed and then run", async () => {
    await database.make("notes");
    const args = database.command(["sequelize-cli", "db:migrate"], {
      image: "docker.io/local/notes:1.0.0",
      runAsUser: undefined,
      connectionSecretName: "notes",
      connectionEnv: {
        ...{
          DB_HOST: "host",
          DB_PORT: "port",
          DB_NAME: "dbname",
          DB_USER: "user",
          DB_PASSWORD: "password",
          DB_SSLMODE: "sslmode",
        },
      },
      pending: ["sequelize-cli", "db:migrate:status"],
      rehearsal: {},
    });
    const stack = await newStack();
    const { outputs } = succeeded(await stack.up(program(args, "s")));
    assert.match(outputs.pendingMigrations, /^down 20251113141404-create-categories-table\.js$/m);
    assert.match(outputs.rehearsalReport, /^\+ table public\./m);
    assert.strictEqual(await database.rows('SELECT count(*) >= 10 FROM "SequelizeMeta"', "notes"), "t");
    changesNothing(await stack.up(program(args, "s")));
  });

  describe("a rehearsal", () => {
    const rehearsed = (sql: string, more: Partial<MigrationJobArgs> = {}) =>
      program(database.psql(sql, { rehearsal: {}, ...more }), "r");
    let stack: TestStack;

    before(async () => {
      await database.rows(`SET ROLE app;
        CREATE TABLE people (id int PRIMARY KEY, name varchar(50), note text, score bigint);
        INSERT INTO people SELECT i, 'name ' || i, CASE WHEN i < 900 THEN 'x' END, i FROM generate_series(1, 1000) AS i;
        CREATE TABLE visits (id int PRIMARY KEY, person int REFERENCES people);
        INSERT INTO visits SELECT i, i FROM generate_series(1, 100) AS i;
        ALTER DATABASE app SET search_path = public`);
      stack = await newStack();
    });

    it("says how long it took, what was blocked and what became of the schema, and the real one follows", async () => {
      const sql = "ALTER TABLE people ADD born date; CREATE INDEX by_name ON people (name); SELECT pg_sleep(1)";
      const unknown = { rehearsal: { runAsUser: 1234 } }; // to the copy's image
      const { output, outputs } = succeeded(await stack.up(rehearsed(sql, unknown)));
      const report = outputs.rehearsalReport;
      assert.match(report, /^copied [\d.]+ MiB in \d+ s; the migration took [12] s there$/m);
      assert.match(report, /^blocked for reads and writes: public\.people for (0\.[89]|1\.\d) s$/m);
      assert.match(report, /^\+ column public\.people\.born date$/m);
      assert.match(report, /^\+ index public\.by_name ON public\.people USING btree \(name\)$/m);
      assert.match(output, /rehearsal of the migration on a copy of the database:\s+copied/);
      assert.strictEqual(await database.rows("SELECT count(born) + 1 FROM people"), "1");
      changesNothing(await stack.up(rehearsed(sql, unknown)));
    });

    it("refuses a migration that the data does not allow, and after its correction goes on", async () => {
      const sql = "CREATE TABLE first (n int)";
      const args = {
        command: ["psql", "-X", "-v", "ON_ERROR_STOP=1", "-c", sql, "-c", "ALTER TABLE people ALTER note SET NOT NULL"],
      };
      const output = failed(await stack.up(rehearsed(sql, args)));
      assert.match(output, /the migration failed on a copy of the database, after \d+ s: "psql" failed with exit code 1/);
      assert.match(output, /column "note" of relation "people" contains null values/);
      assert.strictEqual(await exists("first"), "f");

      await database.rows("UPDATE people SET note = '' WHERE note IS NULL");
      const again = /pulumi up --replace '(urn:[^']*)'/.exec(output)![1];
      const { changes } = succeeded(await stack.up(rehearsed(sql, args), { replace: [again] }));
      assert.strictEqual(planPods(changes).length, 1, changes.join("\n"));
      assert.strictEqual(await exists("first"), "t");
    });

    const destructive: Record<string, [string, RegExp]> = {
      "DROP COLUMN": ["ALTER TABLE people DROP note", /DROP COLUMN note of public\.people \(text\)/],
      "DROP TABLE in a function": [
        "DO $do$ BEGIN EXECUTE 'DROP TABLE visits'; END $do$",
        /DROP TABLE public\.visits \(about 100 rows\)/,
      ],
      TRUNCATE: ["TRUNCATE visits", /TRUNCATE of public\.visits \(about 100 rows\)/],
      "TRUNCATE and more rows": [
        "TRUNCATE visits; INSERT INTO visits VALUES (1, 1)",
        /TRUNCATE of public\.visits \(it was emptied and filled again/,
      ],
      "DELETE of everything": ["DELETE FROM visits", /DELETE of every row of public\.visits/],
      "a narrower type": [
        "ALTER TABLE people ALTER name TYPE varchar(20), ALTER score TYPE int",
        /ALTER COLUMN name of public\.people from character varying\(50\) to character varying\(20\).*\s+ALTER COLUMN score of public\.people from bigint to integer/,
      ],
    };
    for (const [what, [sql, line]] of Object.entries(destructive)) {
      it(`refuses ${what}`, async () => {
        const before = await database.rows("SELECT md5(string_agg(p::text, '' ORDER BY id)) FROM people p");
        const output = failed(await stack.up(rehearsed(sql)));
        assert.match(output, line);
        assert.match(output, /set rehearsal\.allowDestructive to true/);
        assert.strictEqual(await database.rows("SELECT md5(string_agg(p::text, '' ORDER BY id)) FROM people p"), before);
        assert.strictEqual(await database.rows("SELECT count(*) FROM visits"), "100");
      });
    }

    it("does not take what loses nothing for it", async () => {
      const sql = `CREATE TABLE scratch (n int); DROP TABLE scratch; ALTER TABLE people RENAME name TO called;
        ALTER TABLE people ALTER called TYPE varchar(80), ALTER score TYPE numeric(30, 2); ALTER TABLE people RENAME TO persons;
        ALTER TABLE persons RENAME TO people; ALTER TABLE people RENAME called TO name; DELETE FROM visits WHERE id > 50;
        ALTER TABLE people ADD made timestamptz DEFAULT clock_timestamp()`;
      succeeded(await stack.up(rehearsed(sql)));
      assert.strictEqual(await database.rows("SELECT count(made) FROM people"), "1000");
    });

    it("destroys when that is allowed, without rehearsing again", async () => {
      const sql = "DROP TABLE visits";
      failed(await stack.up(rehearsed(sql)));
      const { changes } = succeeded(await stack.up(rehearsed(sql, { rehearsal: { allowDestructive: true } })));
      assert.deepStrictEqual(planPods(changes), []);
      assert.strictEqual(await exists("visits"), "f");
    });

    it("is refused when the command would find the real database all the same", async () => {
      const url = `postgresql://app@${database.server.host}:${database.server.port}/app`;
      const output = failed(await stack.up(rehearsed("CREATE TABLE stray (n int)", { env: { OTHER_URL: url } })));
      assert.match(output, /it was not run, because its variable OTHER_URL names the real server/);
      const idle = failed(await stack.up(program(database.command(["true"], { rehearsal: {} }), "r")));
      assert.match(idle, /succeeded, but never connected to the copy/);
      assert.strictEqual(await exists("stray"), "f");
    });

    it("can be had alone, for a change that is not merged: as text and as JSON, and nothing is left", async () => {
      const asked = (sql: string, more: Partial<MigrationJobArgs> = {}) =>
        planMigration("alone", database.psql(sql, { pending: ["echo", "down 003-third.js"], rehearsal: {}, ...more }));
      const plan = await asked("ALTER TABLE people DROP score");
      assert.strictEqual(plan.allowed, false);
      assert.match(plan.destructive, /^DROP COLUMN score of public\.people \([^\n]*\)$/);
      assert.match(plan.text, /^ +down 003-third\.js$/m);
      assert.match(plan.text, /^ +- column public\.people\.score$/m);
      assert.match(plan.text, /the migration destroys data[^]*set rehearsal\.allowDestructive to true/);
      assert.deepStrictEqual(JSON.parse(JSON.stringify(plan)).pending.list, "down 003-third.js");
      const { hash } = plan.pending!;
      const approved = { approval: hash, rehearsal: { allowDestructive: true } };
      assert.deepStrictEqual((await asked("ALTER TABLE people DROP score", approved)).allowed, true);
      assert.strictEqual(await database.rows("SELECT count(score) FROM people"), "1000");
      const left = await namespace.items("pods,jobs,configmaps,secrets", "-l", "app.kubernetes.io/instance=alone");
      assert.deepStrictEqual(
        left.filter(({ metadata }) => !metadata.deletionTimestamp),
        [],
      );
    });

    it("shows no password, and keeps none", async () => {
      const pending = ["sh", "-c", 'echo "down 001 $PGPASSWORD $(echo "$PGPASSWORD" | sed "s/ /%20/g")"'];
      const { output, outputs } = succeeded(await stack.up(rehearsed("SELECT 1", { pending })));
      assert.strictEqual(outputs.pendingMigrations, "down 001 ******** ********");
      const pods = JSON.stringify(await namespace.items("pods"));
      for (const text of [output, JSON.stringify(outputs), await stack.state(), pods])
        assert.doesNotMatch(text, /not(%20| )secret/);
    });
  });
});
