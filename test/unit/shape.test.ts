import * as assert from "assert";
import * as fc from "fast-check";
import { Struct } from "google-protobuf/google/protobuf/struct_pb";
import * as pulumi from "@pulumi/pulumi";
import * as server from "@pulumi/pulumi/provider/server";
import * as entry from "../../index";
import { shaped } from "../../components/common/shape";
import { parseType, propertiesOf, ShapeName } from "../../components/common/shapeTypes";
import { Validation } from "../../components/common/validation";
import { resolveArgs } from "../../components/resolveArgs";

/** Whatever takes arguments, the interface of these, and those that it needs. */
type Taker = [name: string, shape: ShapeName, take: (args: any) => unknown];

type Component = "PostgresApp" | "PostgresDatabase" | "MigrationJob";
const component = (type: Component, name = "notes"): Taker => [type, `${type}Args`, (args) => new entry[type](name, args)];
const called = (name: keyof typeof entry, shape: ShapeName): Taker => [name, shape, entry[name] as (args: any) => unknown];

const components = [component("PostgresApp"), component("PostgresDatabase"), component("MigrationJob")];
const functions = [
  called("directus", "DirectusOptions"),
  called("educard", "PresetOptions"),
  called("heimdall", "HeimdallOptions"),
  called("labelStudio", "LabelStudioOptions"),
  called("listmonk", "ListmonkOptions"),
  called("mastodon", "MastodonOptions"),
  called("miniflux", "MinifluxOptions"),
  called("n8n", "N8nOptions"),
  called("outline", "OutlineOptions"),
  called("strapi", "StrapiOptions"),
  called("unleash", "UnleashOptions"),
  called("vikunja", "VikunjaOptions"),
  called("vulcan", "VulcanOptions"),
  called("alembic", "AlembicOptions"),
  called("django", "DjangoOptions"),
  called("drizzle", "DrizzleOptions"),
  called("flyway", "FlywayOptions"),
  called("golangMigrate", "GolangMigrateOptions"),
  called("goose", "GooseOptions"),
  called("knex", "KnexOptions"),
  called("liquibase", "LiquibaseOptions"),
  called("prisma", "PrismaOptions"),
  called("rails", "RailsOptions"),
  called("sequelize", "SequelizeOptions"),
  called("typeorm", "TypeormOptions"),
];

/** A value that must not be seen. */
const SECRET = "postgres://notes:not-to-be-seen@db.example.org/notes";

/** What is said of wrong arguments; they come from JavaScript and YAML too, so types do not protect. Nothing but a refusal may be thrown. */
function refusal([, , take]: Taker, args: unknown): string {
  try {
    take(args);
    return "";
  } catch (error) {
    if (!pulumi.InputPropertiesError.isInstance(error)) throw error;
    assert.doesNotMatch((error as Error).message, /not-to-be-seen/);
    return (error as Error).message;
  }
}

/** A place in the arguments: its path, its type, and arguments that have a value there and nothing else. */
interface Place {
  path: string;
  type: string;
  of: ReturnType<typeof parseType>["of"];
  /** Of a list or a map that could be an output. */
  late: boolean;
  args: (value: unknown) => any;
}

function places(type: string, path: string, args: Place["args"], late = false): Place[] {
  const { of, inner } = parseType(type);
  if (of === "input" || of === "partial") return places(inner, path, args, late || of === "input");
  const here = { path, type, of, late, args };
  if (of === "single") return [here];
  if (of === "list") return [here, ...places(inner, `${path}[0]`, (value) => args([value]), late)];
  if (of === "map") return [here, ...places(inner, `${path}.one`, (value) => args({ one: value }), late)];
  return [
    here,
    ...[...propertiesOf(type)].flatMap(([name, property]) =>
      places(property.type, path ? `${path}.${name}` : name, (value) => args({ [name]: value })),
    ),
  ];
}

/** What is at the place that `args` writes to. */
function at(shaped: unknown, args: Place["args"]): unknown {
  const mark = {};
  const find = (marked: any, found: any): unknown =>
    marked === mark ? found : find(Object.values(marked)[0], found[Object.keys(marked)[0]]);
  return find(args(mark), shaped);
}

const says = (message: string, path: string, reason = "") =>
  assert.ok(message.includes(`\n  ${path}: ${reason}`), `${path}: ${reason} is not in\n${message}`);

/** A rule for a list or a map says its path. */
const saysOf = (message: string, { path, late }: Place) => {
  const paths = late ? [path, path.replace(/(\[0\]|\.one)$/, "")] : [path];
  assert.ok(
    paths.some((one) => message.includes(`\n  ${one}: `) || message.includes(`\n  ${one.replace(".one", '["one"]')}: `)),
    `${path} is not in\n${message}`,
  );
};

describe("arguments of a wrong shape", () => {
  const [app] = components;
  const image = "registry.example.org/notes:1.0.0";
  const cases: [args: object, expected: string][] = [
    [{ probes: "/ready" }, "probes: is a string: write { … } with startup, liveness, readiness"],
    [{ service: 8080 }, "service: is a number: write { … } with port, type, annotations"],
    [{ rollout: 120 }, "rollout: is a number: write { … } with canary, minReadySeconds, timeoutSeconds"],
    [
      { monitoring: true },
      "monitoring: is a boolean: write {}, or { … } with path, port, kind, intervalSeconds, labels, alerts, …",
    ],
    [
      { database: SECRET },
      "database: is a string: write { … } with databaseName, user, embedded, cloudNativePg, external, credentials, …",
    ],
    [
      { database: pulumi.output({ user: "notes" }) },
      "database: is an output, and what is made depends on it: write { … } with databaseName, user, embedded, cloudNativePg, external, credentials, …",
    ],
    [
      { migration: "npm run migrate" },
      "migration: is a string: write { … } with command, image, env, secretEnv, existingSecretEnv, envFrom, …",
    ],
    [{ migration: { comand: ["migrate"] } }, 'migration.comand: is not an argument: did you mean "command"?'],
    [{ migration: { command: ["migrate"], lock: "false" } }, "migration.lock: is a string: write true or false, without quotes"],
    [
      { migration: { command: ["migrate"], timeoutSeconds: pulumi.output(600) } },
      "migration.timeoutSeconds: is an output, and what is made depends on it: write a number, without quotes",
    ],
    [{ migration: { command: ["migrate", ["now"]] } }, "migration.command[1]: is a list: write a string, in quotes"],
    [{ migration: { command: ["migrate"], rerun: 2 } }, "migration.rerun: is a number: write a string, in quotes"],
    [{ imagePullSecret: ["registry"] }, 'imagePullSecret: is not an argument: did you mean "imagePullSecrets"?'],
    [{ prot: 80 }, 'prot: is not an argument: did you mean "port"?'],
    [{ aurora: {} }, "aurora: is not an argument: leave it out"],
    [{ rollout: { timeout: 120 } }, 'rollout.timeout: is not an argument: did you mean "timeoutSeconds"?'],
    [
      { probes: { readiness: { path_http: "/ready", http_path: "/ready" } } },
      'probes.readiness.path_http: is not an argument: leave it out, or write one of httpPath, httpHeaders, port, command, periodSeconds, timeoutSeconds, failureThreshold\n  probes.readiness.http_path: is not an argument: did you mean "httpPath"?',
    ],
    [{ workers: { sidekiq: { comand: ["sidekiq"] } } }, 'workers.sidekiq.comand: is not an argument: did you mean "command"?'],
    [
      { workers: { sidekiq: ["sidekiq"] } },
      "workers.sidekiq: is a list: write { … } with command, args, replicas, env, resources, minReadySeconds, …",
    ],
    [{ workers: ["sidekiq"] }, "workers: is not a map: write { NAME: value }"],
    [{ networkPolicy: { client: [] } }, 'networkPolicy.client: is not an argument: did you mean "clients"?'],
    [
      { networkPolicy: { clients: ["ingress"] } },
      "networkPolicy.clients[0]: is a string: write { … } with namespace, namespaceLabels, podLabels, cidr",
    ],
    [{ ingress: { hosts: "notes.example.org" } }, "ingress.hosts: is not a list: write it in [ ]"],
    [{ httpRoute: { gateway: "traefik", hosts: ["a.example.org"] } }, "httpRoute.gateway: is a string: write { … } with name, …"],
    [{ connectionEnv: { DB_HOST: null } }, "connectionEnv.DB_HOST: has no value: set it, or leave it out"],
    [
      { migration: { command: ["migrate"], rehearsal: true } },
      "migration.rehearsal: is a boolean: write {}, or { … } with allowDestructive, image, runAsUser, storage, resources, timeoutSeconds",
    ],
    [{ ingress: true }, "ingress: is a boolean: write { … } with hosts, …"],
    [{ probes: { readiness: { path: "/ready" } } }, 'probes.readiness.path: is not an argument: did you mean "httpPath"?'],
    [{ canary: { timeoutSeconds: 5 } }, "canary: is not an argument here: did you mean rollout.canary?"],
    [{ clientImage: "postgres" }, "clientImage: is not an argument here: did you mean database.external.clientImage?"],
    [{ database: { replicas: 2 } }, "database.replicas: is not an argument here: did you mean replicas?"],
    [{ priorityClassName: new Map() }, "priorityClassName: is an object: write a string, in quotes"],
  ];
  for (const [args, expected] of cases)
    it(`are said in words: ${expected.split(":")[0]}`, () => {
      const count = expected.includes("\n") ? "2 arguments have" : "1 argument has";
      assert.strictEqual(refusal(app, { image, ...args }), `PostgresApp "notes": ${count} to change:\n  ${expected}`);
    });

  it("are all said at once, with the component's wrong name, before anything else is", () => {
    const wrong = { probes: "/ready", migration: { comand: "x", timeout: 5 }, volumes: [5], replicas: -1 };
    assert.throws(
      () => new entry.PostgresApp("My App", wrong as never),
      ({ message }: Error) => {
        for (const path of ["name", "probes", "migration.comand", "migration.timeout", "volumes[0]", "image"])
          says(message, path);
        assert.doesNotMatch(message, /replicas/);
        return /: 6 arguments have to change:/.test(message);
      },
    );
  });

  it("are no value that is left out: null, undefined, a misspelt name with neither", () => {
    const args = { image, probes: null, database: { embedded: null, external: undefined, nothing: undefined }, env: null };
    assert.deepStrictEqual(shaped<object>("PostgresAppArgs", args, new Validation("it")), { image, database: {} });
  });

  it("are no values that are there later, whatever could be an output: these stay outputs, and secret ones secret", async () => {
    const right: Record<string, unknown> = { string: "a", number: 1, boolean: false, list: [], map: {} };
    for (const shape of ["PostgresAppArgs", "PostgresDatabaseArgs", "MigrationJobArgs"] as const)
      for (const { path, type, of, args } of places(shape, "", (value) => value).filter((place) => place.late)) {
        const value = right[of === "single" ? type : of];
        const later = [pulumi.output(value), pulumi.secret(value), Promise.resolve(value), pulumi.output(pulumi.unknown)];
        for (const given of [...later, pulumi.unknown]) {
          const validation = new Validation("it");
          const found = at(shaped<object>(shape, args(given), validation), args);
          assert.ok(pulumi.Output.isInstance(found), path);
          assert.strictEqual(await (found as any).isSecret, given === later[1], path);
          if (given === later[0]) assert.deepStrictEqual(await (found as any).promise(), value, path);
          let message = "";
          try {
            validation.throwIfAny();
          } catch (error) {
            ({ message } = error as Error);
          }
          assert.ok(!message.includes(`\n  ${path}:`), message);
        }
      }
  });

  it("are said of values that are there later when they are known, secret ones without the value", async () => {
    const wrong: Record<string, unknown> = { string: 271828, number: "271828", boolean: "false", list: "271828", map: "271828" };
    for (const shape of ["PostgresAppArgs", "PostgresDatabaseArgs", "MigrationJobArgs"] as const)
      for (const { path, type, of, args } of places(shape, "", (value) => value).filter((place) => place.late)) {
        const given = pulumi.secret(wrong[of === "single" ? type : of]);
        const found = at(shaped<object>(shape, args(given), new Validation("it")), args) as any;
        const said = await found.promise().then(
          () => assert.fail(`${path} is taken`),
          ({ message }: Error) => message,
        );
        says(said.replace('["/one"]', ".one"), path, "is ");
        assert.doesNotMatch(said, /271828/);
      }
  });

  it("are said of what is in a value that is there later, once where a component gives it to one inside", async () => {
    const take = (env: unknown, validation = new Validation("it")) => shaped<any>("MigrationJobArgs", { env }, validation).env;
    const env = take(pulumi.output({ A: 1, B: "b", C: true }));
    await assert.rejects(
      env.promise(),
      /: 1 argument .*\n {2}env: "A" is a number: write a string, in quotes; "C" is a boolean: write a string, in quotes$/,
    );
    assert.strictEqual(take(env), env);
    const plain = { A: "a", B: null };
    assert.strictEqual(take(plain), plain);
    const command = shaped<any>("MigrationJobArgs", { command: pulumi.output(["a", 1]) }, new Validation("it")).command;
    await assert.rejects(command.promise(), /\n {2}command: \[1\] is a number: write a string, in quotes$/);
  });

  it("are none in what a program in another language sends: outputs, secret and unknown values at any depth", async () => {
    const output = (more: object) => ({ "4dabf18193072939515e22adb298388d": "d0e6a833031e9bbcd3f4e8bde6ca49a4", ...more });
    const urn = "urn:pulumi:dev::notes::kubernetes:core/v1:Secret::tokens";
    const sent = {
      image: "registry.example.org/notes:1.0.0",
      replicas: output({ value: 2, dependencies: [urn] }),
      env: { LOG: "info", BASE: output({}) },
      secretEnv: { TOKEN: output({ value: "t", secret: true, dependencies: [urn] }) },
      envFrom: [{ secret: output({ dependencies: [urn] }) }],
      networkPolicy: { clients: [{ namespace: output({ value: "ingress" }) }], databaseCidrs: [output({})] },
      migration: { command: ["migrate", output({ value: "up" })], secretEnv: output({ secret: true }), timeoutSeconds: 60 },
      database: {
        external: { host: output({}), password: output({ value: "p", secret: true }) },
        user: "notes",
        databaseName: "notes",
      },
      workers: { mail: { command: ["mail"], env: output({ value: { A: "b" } }) } },
      connectionEnv: { DB: output({ value: "uri" }) },
    };
    const dependencies = new Map(Object.keys(sent).map((name) => [name, { getUrnsList: () => [urn] }]));
    const { image: _, ...plain } = await (server as any).deserializeInputs(Struct.fromJavaScript(sent), dependencies);
    const validation = new Validation("it");
    resolveArgs("notes", shaped("PostgresAppArgs", { image, ...plain }, validation), validation);
  });

  it("are none where a class has them by getters, or a program by what it copies", () => {
    class Common {
      get image() {
        return image;
      }
    }
    const args: object = Object.assign(new Common(), { port: 80 });
    assert.deepStrictEqual(shaped("PostgresAppArgs", args, new Validation("it")), { image, port: 80 });
    assert.deepStrictEqual(shaped("PostgresAppArgs", Object.create({ image }), new Validation("it")), { image });
    assert.deepStrictEqual(shaped("PostgresAppArgs", Object.freeze({ image }), new Validation("it")), { image });
  });

  it("are said beside what is wrong with the rest, and a misspelt one counts as what was meant", () => {
    const message = refusal(app, { image, replicas: -1, migratesAtSart: true, kind: "Deployment", ingress: { host: ["Notes"] } });
    assert.match(message, /: 5 arguments have to change:/);
    for (const path of ["replicas", "migratesAtSart", "kind", "ingress.host", "ingress.hosts[0]"]) says(message, path);
  });

  it("are found in what a preset and a tool are given", () => {
    const said = (name: string, ...args: unknown[]) => {
      const [found] = functions.filter(([known]) => known === name);
      return refusal(found, args[0]);
    };
    const one = (name: string, line: string) => `${name}: 1 argument has to change:\n  ${line}`;
    assert.strictEqual(said("typeorm"), one("typeorm", "dataSource: is missing: write a string, in quotes"));
    assert.strictEqual(said("goose", {}), one("goose", "dir: is missing: write a string, in quotes"));
    assert.strictEqual(said("sequelize", { program: "yarn" }), one("sequelize", "program: is not a list: write it in [ ]"));
    assert.strictEqual(
      said("sequelize", { migrationPath: "db" }),
      one("sequelize", 'migrationPath: is not an argument: did you mean "migrationsPath"?'),
    );
    assert.strictEqual(said("knex", "knexfile.js"), one("knex", "args: is a string: write { … } with knexfile, env, program"));
    assert.strictEqual(
      said("heimdall", { hosts: ["heimdall.example.org"] }),
      one("heimdall", 'hosts: is not an argument: did you mean "host"?'),
    );
    assert.match(said("mastodon"), /^ {2}redis: is missing: Mastodon does not run without/m);
    says(said("mastodon", { database: { external: { admin: SECRET } } }), "database.external.admin", "is a string");
  });

  it("are shown without the password of a URI that stands where a name belongs", () => {
    const message = refusal(app, {
      image,
      database: { external: { host: SECRET, password: "p" } },
      connectionEnv: { A: SECRET },
    });
    says(message, "database.external.host", '"postgres://notes:…@db.example.org/notes" is not a host name');
    says(message, "connectionEnv.A", 'is "postgres://notes:…@');
  });
});

it("the arguments of every preset and tool that index.ts exports are tried here", () => {
  const nothingRuns = ["discourse", "ghost", "gitlab"]; // they refuse in any case
  const exported = Object.entries<unknown>(entry).filter(([, value]) => typeof value === "function");
  const asMigrationJob = ["planMigration"];
  const tried = [...components, ...functions].map(([name]) => name);
  assert.deepStrictEqual(exported.map(([name]) => name).sort(), [...tried, ...nothingRuns, ...asMigrationJob].sort());
});

for (const taker of [...components, ...functions]) {
  const [name, shape] = taker;
  const all = places(shape, "", (value) => value);
  describe(`the shape of the arguments of ${name}`, function () {
    this.timeout(60_000);
    const groups = all.filter(({ of }) => of === "group");

    it("has every group refused that is something else", () => {
      for (const { path, args } of groups)
        for (const wrong of [SECRET, 8080, true, [], () => SECRET, new Map(), pulumi.output({}), Promise.resolve(SECRET)])
          says(refusal(taker, args(wrong)), path || "args");
    });

    it("has every name refused that is none", () => {
      for (const { path, args } of groups)
        says(refusal(taker, args({ noSuchName: SECRET })), path ? `${path}.noSuchName` : "noSuchName", "is not an argument");
    });

    it("has every list and map refused that is something else", () => {
      for (const place of all.filter(({ of }) => of === "list" || of === "map"))
        for (const wrong of ["text", 5, true, place.of === "list" ? { a: "b" } : ["b"]])
          saysOf(refusal(taker, place.args(wrong)), place);
    });

    it("has every single value refused that is of another type", () => {
      const values = { string: "a", number: 271828, boolean: true, list: ["a"], map: { a: "b" } };
      for (const place of all.filter(({ of }) => of === "single"))
        for (const [type, wrong] of Object.entries(values))
          if (!place.type.split(" | ").includes(type)) saysOf(refusal(taker, place.args(wrong)), place);
    });

    it("has outputs refused where the program itself has to know", () => {
      const isLate = (path: string) => all.some((place) => place.path === path && place.late);
      for (const place of all.filter(({ late, path }) => path !== "" && !late && !isLate(path)))
        saysOf(refusal(taker, place.args(pulumi.output("a"))), place);
    });

    it("takes null for what is left out", () => {
      for (const { path, args, of } of all) {
        if (/\[0\]$|\.one$|^$/.test(path) || (of === "single" && path.includes(".one."))) continue;
        const read = (value: unknown) => shaped(shape, args(value), new Validation("it"));
        assert.deepStrictEqual(read(null), read(undefined), path);
      }
    });

    it("has everything missed that is needed", () => {
      const required = [...propertiesOf(shape)].filter(([, property]) => property.required);
      for (const given of [{}, null, undefined]) for (const [missing] of required) says(refusal(taker, given), missing, "is ");
    });
  });
}

describe("arguments of any kind", function () {
  this.timeout(120_000);
  const texts = [
    "",
    "a",
    "constructor",
    "10Gi",
    "/a",
    "1.2.3",
    "a b",
    "-",
    "postgres://a:b@c/d",
    "0 0 * * *",
    "registry.example.org/a:1",
  ];
  const singles = fc.constantFrom<unknown>(null, ...texts, -1, 0, 1, 2.5, 30, NaN, true, false);
  const others = fc.constantFrom<unknown>([], {}, [null], ["a", 1], { a: "b" }, { cpu: 5 }, [{}], new Map(), () => "a");
  const plain: Record<string, unknown[]> = { string: texts, number: [-1, 0, 1, 2.5, 600, NaN], boolean: [true, false] };
  const names = fc.constantFrom("A", "b", "x-y", "/a", "1", "__proto__", "cpu", "");

  /** Values of a type. What could be an output is of any type, and so is everything in what has the wrong shape. */
  function valuesOf(type: string, wrong: boolean, late = false): fc.Arbitrary<unknown> {
    const { of, inner } = parseType(type);
    if (of === "input" || of === "partial") return valuesOf(inner, wrong, of === "input");
    if (of === "single") return late || wrong ? singles : fc.constantFrom(...plain[type], null);
    const right =
      of === "list"
        ? fc.array(valuesOf(inner, wrong, late), { maxLength: 2 })
        : of === "map"
          ? fc.dictionary(names, valuesOf(inner, wrong, late), { maxKeys: 2 })
          : groupOf(type, wrong);
    return late || wrong ? fc.oneof({ weight: 9, arbitrary: right }, singles, others) : right;
  }

  function groupOf(type: string, wrong: boolean) {
    const all = [...propertiesOf(type)];
    const values = (some: typeof all) => some.map(([name, property]) => [name, valuesOf(property.type, wrong)]);
    return fc.subarray(all, { maxLength: Math.min(6, all.length) }).chain((some) => fc.record(Object.fromEntries(values(some))));
  }

  for (const wrong of [true, false])
    for (const [type] of components)
      it(`are refused by ${type} with words: ${wrong ? "of any shape" : "with any values"}`, () => {
        const taker = component(type as Component, "No Name"); // so that they are refused in any case, and nothing is made
        fc.assert(
          fc.property(valuesOf(taker[1], wrong), (args) => assert.notStrictEqual(refusal(taker, args), "")),
          { numRuns: 200 },
        );
      });
});
