import * as assert from "assert";
import { educard, mastodon } from "../../index";
import { known } from "../support/known";
import { installTools, ToolPlace, toolPlace } from "../support/migrationTools";
import { OutsidePostgres, startPostgres } from "../support/outsidePostgres";
import { RailsPlace, railsPlace } from "../support/rails";

/**
 * Mastodon's migration in two steps, as its preset has it, by the tool that does it: Active Record runs an application with Mastodon's tasks and
 * folders, since Mastodon itself cannot be had here.
 */
describe("the two steps of Mastodon's migration, run by Active Record", function () {
  this.timeout(300_000);
  const args = mastodon({ redis: { host: "redis.cache.svc" }, host: "social.example.org", mediaClaim: "media" });
  let steps: Record<"first" | "second", { command: string[]; env: Record<string, string> }>;
  let postgres: OutsidePostgres;
  let place: RailsPlace;
  let databases = 0;

  before(async () => {
    const { migration } = await known(args);
    steps = { first: migration, second: migration.postDeploy };
    postgres = await startPostgres(17);
  });
  after(() => postgres?.stop());
  beforeEach(async () => {
    place = await railsPlace(postgres, "mastodon", `mastodon_${++databases}`, await known(args.connectionEnv));
  });
  afterEach(() => place?.remove());

  const rake = (task: string) => ["bundle", "exec", "rake", task];
  const succeeds = async (command: string[], env: Record<string, string> = {}) => {
    const { code, stdout, stderr } = await place.run(command, env);
    assert.strictEqual(code, 0, `${command.join(" ")}\n${stdout}${stderr}`);
  };
  const run = (step: "first" | "second") => succeeds(steps[step].command, steps[step].env);
  /** Columns, what is noted as done, and what is in it. */
  const found = () =>
    place.sql(`SELECT
      (SELECT string_agg(column_name, ' ' ORDER BY column_name) FROM information_schema.columns WHERE table_name = 'statuses'),
      (SELECT string_agg(version, ' ' ORDER BY version) FROM schema_migrations),
      (SELECT string_agg(text, ' ') FROM statuses)`);

  it("make an empty database whole at once, and leave nothing to do for afterwards", async () => {
    await run("first");
    assert.strictEqual(await found(), "id language text|1 2 3 4|the first");
    await run("second");
    await run("first");
    assert.strictEqual(await found(), "id language text|1 2 3 4|the first");
  });

  it("leave an older one what the former version needs until that is gone", async () => {
    await succeeds(rake("db:migrate"), { VERSION: "1" });
    await place.sql("INSERT INTO statuses (old_text) VALUES ('before')");
    await run("first");
    assert.strictEqual(await found(), "id language old_text text|1 2 4|before");
    await run("first");
    assert.strictEqual(await found(), "id language old_text text|1 2 4|before");
    await run("second");
    assert.strictEqual(await found(), "id language text|1 2 3 4|before");
    // Nor does Active Record refuse a database that a newer release has migrated.
    await place.sql("INSERT INTO schema_migrations VALUES ('5')");
    await succeeds(rake("db:migrate"));
    assert.strictEqual(await found(), "id language text|1 2 3 4 5|before");
  });

  it("begin again where making the schema was cut off", async () => {
    await place.sql(`CREATE TABLE statuses (id bigserial PRIMARY KEY); ALTER TABLE statuses OWNER TO mastodon_${databases}`);
    await run("first");
    assert.strictEqual(await found(), "id language text|1 2 3 4|the first");
  });

  it("are refused by the product where the database is too old for two", async () => {
    await place.sql("CREATE TABLE schema_migrations (version varchar PRIMARY KEY)");
    await place.sql(`ALTER TABLE schema_migrations OWNER TO mastodon_${databases}`);
    const { code, stderr } = await place.run(steps.first.command, steps.first.env);
    assert.strictEqual(code, 1);
    assert.match(stderr, /too old for two steps/);
  });

  it("would fail on an empty database if the second one's were left for later there", async () => {
    await succeeds(rake("db:prepare"), { SKIP_POST_DEPLOYMENT_MIGRATIONS: "true" });
    const { code, stdout, stderr } = await place.run(steps.second.command, steps.second.env);
    assert.strictEqual(code, 1, `${stdout}${stderr}`);
    assert.match(stdout + stderr, /old_text/);
  });
});

/** Educard's, in which one migration goes before the others, by sequelize-cli and migrations that depend on each other as Educard's do. */
describe("the order of Educard's migrations, run by sequelize-cli", function () {
  this.timeout(480_000); // the first time the tools are fetched
  let installed: string;
  let postgres: OutsidePostgres;
  let place: ToolPlace;
  let databases = 0;

  before(async () => {
    installed = await installTools();
    postgres = await startPostgres(17);
  });
  after(() => postgres?.stop());
  beforeEach(async () => {
    place = await toolPlace(postgres, installed, `educard_${++databases}`);
  });
  afterEach(() => place?.remove());

  const CONFIG = [
    "--config",
    "educard/src/config/database.js",
    "--migrations-path",
    "educard/src/migrations",
    "--env",
    "production",
  ];
  const run = async (words: string[]) => {
    const { code, stdout, stderr } = await place.run(words);
    assert.strictEqual(code, 0, `${stdout}${stderr}`);
  };
  /** The preset's own words, but for where they fetch the tool from and where the application lies. */
  const migrate = async () => {
    const { command } = (await known(educard().migration)) as { command: string[] };
    const script = command[command.length - 1].replace(/"\/app\//g, '"./educard/').replace(/\/app\//g, "educard/");
    await run([
      "env",
      "NODE_PATH=educard/stubs",
      `PATH=node_modules/.bin:${process.env.PATH}`,
      ...command.slice(command.indexOf("--") + 1, -1),
      script,
    ]);
  };
  const found = () =>
    postgres.sql(
      `SELECT (SELECT string_agg(left(name, 14), ' ' ORDER BY name) FROM "SequelizeMeta"), to_regclass('"Sessions"'), to_regclass('threads'),
        (SELECT string_agg(column_name, ' ' ORDER BY column_name) FROM information_schema.columns WHERE table_name = 'users')`,
      place.database,
    );
  const whole = '20251113141433 20251113182902 20251126075956|"Sessions"|threads|id role';

  it("makes an empty database, and does nothing a second time", async () => {
    await migrate();
    assert.strictEqual(await found(), whole);
    await migrate();
    assert.strictEqual(await found(), whole);
  });

  it("brings an older one up to date", async () => {
    for (const name of ["20251113182902-create-users-table.js", "20251113141433-create-threads-table.js"])
      await run(["node_modules/.bin/sequelize-cli", "db:migrate", ...CONFIG, "--name", name]);
    await migrate();
    assert.strictEqual(await found(), whole);
  });

  it("could not be the tool's own", async () => {
    const { code, stdout, stderr } = await place.run(["node_modules/.bin/sequelize-cli", "db:migrate", ...CONFIG]);
    assert.strictEqual(code, 1, stdout);
    assert.match(stderr, /relation "users" does not exist/);
  });
});
