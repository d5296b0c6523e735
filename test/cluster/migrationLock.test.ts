import * as assert from "assert";
import { Namespace, until } from "../support/kubectl";
import { failed, MigratedDatabase, migrations, NOTES, succeeded, TestStack } from "../support/migrations";
import { diagnostics } from "../support/stack";

/** Two stacks, which know nothing of each other. */
describe("the lock of a migration", function () {
  this.timeout(180_000);
  let namespace: Namespace;
  let database: MigratedDatabase;
  let stacks: TestStack[] = [];

  before(async () => {
    namespace = await Namespace.create("lock");
    database = await MigratedDatabase.start(namespace);
    stacks = await Promise.all(["one", "two"].map((name) => TestStack.create(`lock-${name}`)));
    for (const name of ["other", "notes"]) await database.make(name);
    for (const name of ["app", "other"])
      await database.sql("CREATE TABLE steps (n serial, who text, step text, at timestamptz DEFAULT clock_timestamp())", name);
  });
  after(async () => {
    await Promise.all(stacks.map((stack) => stack.remove()));
    await database?.server.stop();
    await namespace?.delete();
  });

  const step = (who: string, what: string) => `INSERT INTO steps (who, step) VALUES ('${who}', '${what}')`;
  const steps = (who: string, seconds: number, more: object = {}, end: string[] = []) => {
    const commands = [step(who, "begin"), `SELECT pg_sleep(${seconds})`, ...end, step(who, "end")].flatMap((sql) => ["-c", sql]);
    return database.command(["psql", "-X", "-v", "ON_ERROR_STOP=1", ...commands], { timeoutSeconds: 120, ...more });
  };
  const guardLog = async (name: string) => {
    const [job] = await namespace.items("jobs", "-l", `app.kubernetes.io/instance=${name},app.kubernetes.io/component=migration`);
    return namespace.kubectl(["logs", `job/${job.metadata.name}`, "-c", "guard"]);
  };

  it("has two stacks migrate one database one after the other, and another database meanwhile", async () => {
    // The holder of the lock builds an index in a way that waits for every other transaction, while the other one waits for the lock.
    const index = (who: string) => [`CREATE INDEX CONCURRENTLY ${who}_index ON steps (who)`];
    const programs = ["one", "two"].map((who) => ({
      [who]: steps(who, 20, {}, index(who)), // long enough to be met by the other on a busy machine
      [`${who}-free`]: steps(`${who}_free`, 1, { lock: false }),
      [`${who}-other`]: steps(`${who}_other`, 1, { connectionSecretName: "other" }),
    }));
    const outcomes = await Promise.all(stacks.map((stack, index) => stack.up(migrations(programs[index]))));
    outcomes.forEach(succeeded);

    const order = await database.rows(
      "SELECT string_agg(who || ' ' || step, ', ' ORDER BY n) FROM steps WHERE who IN ('one', 'two')",
    );
    const [first, second] = /^one/.test(order) ? ["one", "two"] : ["two", "one"];
    assert.strictEqual(order, `${first} begin, ${first} end, ${second} begin, ${second} end`);
    const held = new RegExp(
      `waiting for another migration of this database: pid \\d+, application '${first}-[0-9a-f]{8}-\\w+', since \\d{4}-\\d\\d-\\d\\d \\d\\d:\\d\\d:\\d\\d UTC, from [\\d.]+`,
    );
    assert.match(await guardLog(second), held);
    for (const free of [`${second}-free`, `${second}-other`]) assert.doesNotMatch(await guardLog(free), /waiting for/);
    const overlap = `SELECT count(*) FROM steps f JOIN steps h ON f.who = '${second}_free' AND h.who = '${second}' AND h.step = 'end' AND f.at < h.at`;
    assert.strictEqual(await database.rows(overlap), "2");
  });

  it("waits for its time and not longer, and says who holds it", async () => {
    const session =
      "SET application_name = 'by-hand 20260102T030405Z'; SELECT pg_advisory_lock(1885823344, 1); SELECT pg_sleep(120)";
    const holding = database.server.sql(session, "app").catch(() => undefined);
    await until("the lock of another session", 20, async () =>
      Number(await database.rows("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'")),
    );
    const program = migrations({
      late: steps("late", 0, { timeoutSeconds: 20 }),
      elsewhere: steps("elsewhere", 0, { timeoutSeconds: 90, connectionSecretName: "other" }),
    });
    const said = diagnostics(failed(await stacks[0].up(program, { continueOnError: true })));
    assert.match(
      said.late,
      /error: the migration failed: another migration of this database has not ended within 20 s, migration\.timeoutSeconds \(pid \d+, application 'by-hand', since 2026-01-02 03:04:05 UTC\): wait for it, or end it with SELECT pg_terminate_backend\(<pid>\)/,
    );
    assert.deepStrictEqual(Object.keys(said).sort(), ["late", "lock-one-test"]);
    await database.server.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'by-hand %'");
    await holding;
  });

  it("makes a tool without a lock of its own apply each migration once: Sequelize, from two stacks at once", async () => {
    const names = {
      DB_HOST: "host",
      DB_PORT: "port",
      DB_NAME: "dbname",
      DB_USER: "user",
      DB_PASSWORD: "password",
      DB_SSLMODE: "sslmode",
    };
    const notes = database.command(["sequelize-cli", "db:migrate"], {
      ...NOTES,
      connectionSecretName: "notes",
      connectionEnv: names,
      timeoutSeconds: 120,
    });
    const outcomes = await Promise.all(stacks.map((stack, index) => stack.up(migrations({ [`notes-${index}`]: notes }))));
    outcomes.forEach(succeeded);
    assert.strictEqual(await database.rows('SELECT count(*) FROM "SequelizeMeta"', "notes"), "11");
    const logs = await Promise.all(
      outcomes.map(({ outputs }, index) => namespace.kubectl(["logs", `job/${outputs[`notes-${index}`]}`, "-c", "migrate"])),
    );
    assert.deepStrictEqual(logs.map((log) => log.split(": migrated (").length - 1).sort(), [0, 11].sort(), logs.join("\n"));
  });
});
