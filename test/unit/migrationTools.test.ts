import * as assert from "assert";
import * as tools from "../../index";
import { MigrationTool } from "../../index";

/** A tool's words, as one would type them. */
const typed = ({ migrate, status, rollback }: MigrationTool) => [migrate, status, rollback].map((words) => words?.join(" "));

describe("the commands of the migration tools", () => {
  const cases: [string, MigrationTool, boolean, (string | undefined)[]][] = [
    [
      "sequelize",
      tools.sequelize(),
      false,
      [
        "node_modules/.bin/sequelize-cli db:migrate",
        "node_modules/.bin/sequelize-cli db:migrate:status",
        "node_modules/.bin/sequelize-cli db:migrate:undo",
      ],
    ],
    [
      "sequelize in an image without its CLI and .sequelizerc",
      tools.sequelize({
        version: "6.6.5",
        config: "/app/src/config/database.js",
        migrationsPath: "/app/src/migrations",
        env: "production",
      }),
      false,
      ["db:migrate", "db:migrate:status", "db:migrate:undo"].map(
        (command) =>
          `npx --yes --cache /tmp/.npm sequelize-cli@6.6.5 ${command} --config /app/src/config/database.js --migrations-path /app/src/migrations --env production`,
      ),
    ],
    [
      "sequelize by the application's own script",
      tools.sequelize({ program: ["yarn", "backend", "sequelize"] }),
      false,
      ["yarn backend sequelize db:migrate", "yarn backend sequelize db:migrate:status", "yarn backend sequelize db:migrate:undo"],
    ],
    [
      "prisma",
      tools.prisma({ schema: "db/schema.prisma", config: "prisma.config.ts" }),
      true,
      [
        "node_modules/.bin/prisma migrate deploy --schema db/schema.prisma --config prisma.config.ts",
        "node_modules/.bin/prisma migrate status --schema db/schema.prisma --config prisma.config.ts",
        undefined,
      ],
    ],
    [
      "prisma, fetched",
      tools.prisma({ version: "7.10.1" }),
      true,
      [
        "npx --yes --cache /tmp/.npm prisma@7.10.1 migrate deploy",
        "npx --yes --cache /tmp/.npm prisma@7.10.1 migrate status",
        undefined,
      ],
    ],
    [
      "knex",
      tools.knex({ knexfile: "dist/knexfile.js", env: "production" }),
      true,
      [
        "node_modules/.bin/knex migrate:latest --knexfile dist/knexfile.js --env production",
        "node_modules/.bin/knex migrate:list --knexfile dist/knexfile.js --env production",
        "node_modules/.bin/knex migrate:down --knexfile dist/knexfile.js --env production",
      ],
    ],
    [
      "typeorm",
      tools.typeorm({ dataSource: "dist/data-source.js" }),
      false,
      [
        "node_modules/.bin/typeorm migration:run --dataSource dist/data-source.js",
        "node_modules/.bin/typeorm migration:show --dataSource dist/data-source.js",
        "node_modules/.bin/typeorm migration:revert --dataSource dist/data-source.js",
      ],
    ],
    [
      "drizzle",
      tools.drizzle({ config: "drizzle.config.js" }),
      false,
      ["node_modules/.bin/drizzle-kit migrate --config drizzle.config.js", undefined, undefined],
    ],
    ["rails", tools.rails(), true, ["bin/rails db:migrate", "bin/rails db:migrate:status", "bin/rails db:rollback"]],
    [
      "rails that prepares",
      tools.rails({ prepare: true, program: ["bundle", "exec", "rails"] }),
      true,
      ["bundle exec rails db:prepare", "bundle exec rails db:migrate:status", "bundle exec rails db:rollback"],
    ],
    [
      "alembic",
      tools.alembic({ config: "/app/alembic.ini" }),
      false,
      [
        "alembic --config /app/alembic.ini upgrade head",
        "alembic --config /app/alembic.ini history --rev-range current:head --indicate-current",
        "alembic --config /app/alembic.ini downgrade -1",
      ],
    ],
    ["django", tools.django(), false, ["python manage.py migrate --noinput", "python manage.py migrate --plan", undefined]],
    [
      "django that knows the way back",
      tools.django({ settings: "shop.settings", rollbackTo: ["shop", "0041"] }),
      false,
      [
        "python manage.py migrate --noinput --settings shop.settings",
        "python manage.py migrate --plan --settings shop.settings",
        "python manage.py migrate --noinput shop 0041 --settings shop.settings",
      ],
    ],
    [
      "flyway",
      tools.flyway({ configFiles: "/flyway/conf/shop.toml", locations: "filesystem:/flyway/sql" }),
      true,
      [
        "flyway -configFiles=/flyway/conf/shop.toml -locations=filesystem:/flyway/sql migrate",
        "flyway -configFiles=/flyway/conf/shop.toml -locations=filesystem:/flyway/sql info",
        undefined,
      ],
    ],
    [
      "liquibase",
      tools.liquibase({ changelogFile: "changelog.yaml", searchPath: "/liquibase/changelog" }),
      true,
      ["update", "status --verbose", "rollback-count --count 1"].map(
        (command) => `liquibase --search-path /liquibase/changelog --changelog-file changelog.yaml ${command}`,
      ),
    ],
    [
      "goose",
      tools.goose({ dir: "/migrations" }),
      false,
      ["up", "status", "down"].map((command) => `goose -dir /migrations postgres $(DATABASE_URL) ${command}`),
    ],
    [
      "golang-migrate",
      tools.golangMigrate({ path: "/migrations", urlVariable: "SHOP_DB", program: ["/usr/bin/migrate"] }),
      true,
      [
        "/usr/bin/migrate -path /migrations -database $(SHOP_DB) up",
        undefined,
        "/usr/bin/migrate -path /migrations -database $(SHOP_DB) down 1",
      ],
    ],
  ];
  for (const [name, tool, locksItself, commands] of cases)
    it(name, () => {
      assert.deepStrictEqual(typed(tool), commands);
      assert.strictEqual(tool.locksItself, locksItself);
    });

  it("refuse an empty option, and two answers to one question", () => {
    assert.throws(() => tools.sequelize({ config: "" }), /^Error: config is empty: give it a value or leave it out$/);
    assert.throws(() => tools.goose({ dir: "" }), /dir is empty/);
    assert.throws(() => tools.typeorm({ dataSource: undefined as any }), /dataSource: is missing: write a string/);
    assert.throws(() => tools.rails({ program: [] }), /program is empty/);
    assert.throws(() => tools.alembic({ program: ["python", ""] }), /program is empty/);
    assert.throws(() => tools.django({ rollbackTo: ["shop", ""] }), /rollbackTo is empty/);
    assert.throws(() => tools.prisma({ version: "7.10.1", program: ["prisma"] }), /program and version/);
  });
});
