import * as assert from "assert";
import { Namespace, sleep, until } from "../support/kubectl";
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
    assert.doesNotMatch(await guardLog(`${second}-free`), /waiting for/);
    // The two migrations of the other database may meet each other, but none of this one.
    assert.doesNotMatch(await guardLog(`${second}-other`), new RegExp(`application '${first}-[0-9a-f]{8}-`));
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
      /error: the migration failed: another migration of this database has not ended within 20 s, timeoutSeconds \(pid \d+, application 'by-hand', since 2026-01-02 03:04:05 UTC\): wait for it, or end it with SELECT pg_terminate_backend\(<pid>\)/,
    );
    assert.deepStrictEqual(Object.keys(said).sort(), ["late", "lock-one-test"]);
    await database.server.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'by-hand %'");
    await holding;
  });

  it("does not take its own former session for another migration, when the server has not noticed that the connection is lost", async () => {
    const going = stacks[0].up(migrations({ lost: steps("lost", 15) }));
    // The server's process of a session, found by the name that it has with the lock; it is a superuser's to stop.
    const sessions = "FROM pg_stat_activity WHERE application_name ~ '^lost-[0-9a-f]{8}-'";
    const held = await until("the lock", 60, () =>
      database.rows(`SELECT pid ${sessions} AND application_name LIKE '%Z' AND EXISTS (SELECT FROM steps WHERE who = 'lost')`),
    );
    const signal = (name: string) => database.server.sql(`COPY (SELECT) TO PROGRAM 'cat && kill -${name} ${held}'`); // who does not read breaks the pipe
    await signal("STOP");
    const [pod] = await namespace.items("pods", "-l", "app.kubernetes.io/instance=lost,app.kubernetes.io/component=migration");
    const end = "for each in /proc/[0-9]*; do if grep -q psql $each/comm; then kill ${each#/proc/}; fi; done";
    const { code, stderr } = await namespace.exec(pod.metadata.name, ["sh", "-c", end], { container: "guard" });
    assert.strictEqual(code, 0, stderr);
    await until("another session", 30, async () => Number(await database.rows(`SELECT count(*) ${sessions} AND pid <> ${held}`)));
    await sleep(3000); // long enough to be told that somebody has the lock
    await signal("CONT");
    succeeded(await going);
    const log = await guardLog("lost");
    assert.match(log, /the connection for the lock was lost: connecting again/);
    assert.doesNotMatch(log, /waiting for another migration/);
    assert.strictEqual(await database.rows("SELECT string_agg(step, ' ' ORDER BY n) FROM steps WHERE who = 'lost'"), "begin end");
  });

  it("has nobody who waits begin while a run may still be at it that lost its lock, and ends that one", async () => {
    // Sessions of a name of their own, which no holder of the lock ends, and of a tool that takes its time to end.
    const rows = (who: string, count: number) =>
      `trap '' TERM; for each in $(seq ${count}); do PGAPPNAME=${who} psql -Xqc "${step(who, "row")}" || exit 1; sleep 0.5; done`;
    const tool = (who: string, count: number, more: object = {}) =>
      database.command(["sh", "-c", rows(who, count)], { timeoutSeconds: 120, ...more });
    const undo = { rollbackCommand: ["psql", "-X", "-c", step("cut", "undone")] };
    const going = stacks[0].up(migrations({ cut: tool("cut", 90, undo) }), { continueOnError: true });
    await until("a row of the first", 60, async () =>
      Number(await database.rows("SELECT count(*) FROM steps WHERE who = 'cut'")),
    );
    const queue = ["next", "later"];
    const next = stacks[1].up(migrations(Object.fromEntries(queue.map((who) => [who, tool(who, 3)]))));
    for (const who of queue)
      await until(`${who}, which waits for the lock`, 60, async () =>
        (await guardLog(who).catch(() => "")).includes("waiting for another migration"),
      );
    await database.server.sql(
      "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name ~ '^cut-[0-9a-f]{8}-.*Z$'",
    );
    succeeded(await next);
    const said = diagnostics(failed(await going));
    assert.match(said.cut, /failed: another migration began when the connection that held the lock was lost/);
    const logs = (await Promise.all(queue.map(guardLog))).join("\n");
    // The first of the queue only: the other one has heard of the end of both.
    assert.deepStrictEqual(
      logs
        .match(/\w+-[0-9a-f]{8}-\w+ had the lock and did not say that its migration had ended/g)
        ?.map((line) => line.split("-")[0]),
      ["cut"],
    );
    assert.strictEqual(await database.rows("SELECT count(*) FROM steps WHERE step = 'undone'"), "0", "beside another run");
    const order =
      "SELECT string_agg(who, ' ' ORDER BY n) FROM (SELECT who, n, lag(who) OVER (ORDER BY n) AS before FROM steps WHERE who IN ('cut', 'next', 'later')) AS s WHERE before IS DISTINCT FROM who";
    assert.match(await database.rows(order), /^cut (next later|later next)$/);
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
