import * as assert from "assert";
import * as pulumi from "@pulumi/pulumi";
import { bytes, imageReference } from "../../components/common/rules";
import { shaped } from "../../components/common/shape";
import { Validation } from "../../components/common/validation";
import { resolveArgs } from "../../components/resolveArgs";
import { refusal } from "../support/refusal";

const image = "registry.example.org/notes:1.0.0";

describe("wrong arguments", () => {
  it("are all named at once, each with its path and the way out, and nothing is created", async () => {
    const message = await refusal(
      {
        port: 70000,
        replicas: 1.5,
        connectionEnv: { DB_HOST: "hostname", "DB-PORT": "port" },
        resources: { requests: { memory: "1GB" } },
        database: { databaseName: "My-Notes", user: "postgres", embedded: { storage: "ten" } },
        migration: { command: "npm run migrate", timeoutSeconds: 0 },
        writablePaths: ["tmp"],
      },
      "My App",
    );
    const expected = [
      /^PostgresApp "My App": 12 arguments have to change:$/m,
      /^ {2}name: "My App" cannot name Kubernetes objects: use at most 36 lower-case letters/m,
      /^ {2}image: is missing: name the image of the application/m,
      /^ {2}port: 70000 is not a port: write a whole number from 1 to 65535$/m,
      /^ {2}replicas: 1.5 is out of range: write a whole number of at least 0$/m,
      /^ {2}connectionEnv.DB_HOST: is "hostname": write one of "host", "port", "dbname", "user", "password", "uri", "jdbc-uri", "pgpass", "sslmode", "sslrootcert"$/m,
      /^ {2}connectionEnv\["DB-PORT"\]: is not an environment variable's name: use letters, digits and _/m,
      /^ {2}resources.requests: "memory" "1GB" is not a quantity: write for example "500m" for CPU, "512Mi" or "10Gi" for bytes/m,
      /^ {2}database.databaseName: "My-Notes" would need quotes everywhere: use at most 63 lower-case letters/m,
      /^ {2}database.user: "postgres" is a role of Postgres' own: give the application another one$/m,
      /^ {2}database.embedded.storage: "ten" is not a quantity/m,
      /^ {2}migration.command: "npm run migrate" is not a command: write its words as a list/m,
      /^ {2}migration.timeoutSeconds: 0 is out of range: write a whole number of at least 1/m,
      /^ {2}writablePaths\[0\]: "tmp" is not a path: begin it with \/$/m,
    ];
    for (const line of expected.slice(1)) assert.match(message, line);
    assert.match(message, /: 13 arguments have to change:/);
  });

  for (const wrong of ["Notes:1", "notes image", "notes:", "notes@sha256:12", ""]) {
    it(`refuses the image "${wrong}"`, async () => assert.match(await refusal({ image: wrong }), /^ {2}image: /m));
  }

  for (const right of [
    "notes",
    "notes:1",
    "localhost:5000/notes:1",
    `a.example.org/b/c@sha256:${"0".repeat(64)}`,
    "registry.example.org:443/b/c:v1.0_x-y",
  ]) {
    it(`accepts the image "${right}"`, async () => assert.strictEqual(await refusal({ image: right }), ""));
  }

  for (const quantity of ["0", "-1Gi", "10GB", "1 Gi", "Gi", 10]) {
    it(`refuses the quantity ${JSON.stringify(quantity)}`, async () =>
      assert.match(
        await refusal({ image, database: { embedded: { storage: quantity } } }),
        /database.embedded.storage: .* is not a quantity/,
      ));
  }

  for (const quantity of ["1Gi", "1.5Gi", "500M", "1e9", "1048576"]) {
    it(`accepts the quantity ${quantity}`, async () =>
      assert.strictEqual(await refusal({ image, database: { embedded: { storage: quantity } } }), ""));
  }

  it("are found in what is written in haste, each once and with the way out", async () => {
    const only = async (args: object) => (await refusal({ image: "r/notes:1.0.0", ...args })).split("\n").slice(1);
    const haste: [object, RegExp][] = [
      [{ database: { embedded: { storage: "10" } } }, /storage: "10" is less than a volume can be: write the unit/],
      [
        { migration: { command: ["npm run migrate"] } },
        /migration\.command: "npm run migrate" is no program's name: write each word for itself, such as \["npm","run","migrate"\]/,
      ],
      [
        { migration: { command: ["migrate"], goBackTo: "1.0.0" } },
        /migration\.goBackTo: is a part of the image's name: write all of it, "r\/notes:1\.0\.0"/,
      ],
      [{ ingress: { host: "notes.example.org" } }, /ingress\.host: is not an argument: did you mean "hosts"\?/],
      [{ migration: { strategy: "startup" } }, /migration\.strategy: is "startup": write one of "Job"/],
      [{ ingress: { controller: "Traefik", hosts: ["a.example.org"], maxBodySize: "1Mi" } }, /ingress\.controller: /],
      [
        { database: { databaseName: "n", user: "u", external: { host: "db.example.org:5433", password: "p" } } },
        /host: "db\.example\.org:5433" is not a host name: .* another port than 5432 goes into port/,
      ],
    ];
    for (const [args, reason] of haste) {
      const said = await only(args);
      assert.strictEqual(said.length, 1, said.join("\n"));
      assert.match(said[0], reason);
    }
  });

  for (const [quantity, number] of Object.entries({
    ...{ "1000": 1000, "0.5": 0.5, "1e3": 1000, "1500m": 1.5, "2k": 2000, "500M": 5e8 },
    ...{ "1Ki": 1024, "1.5Gi": 1.5 * 2 ** 30, "1E": 1e18 },
  }))
    it(`takes the quantity ${quantity} for ${number}`, () => assert.strictEqual(bytes(quantity), number));

  it("are found in a variable that has two values", async () => {
    const message = await refusal({ image, env: { A: "1" }, secretEnv: { A: "2" }, connectionEnv: { A: "host" } });
    assert.match(message, /^ {2}env.A: is in connectionEnv too: keep one of the two$/m);
    assert.match(message, /^ {2}secretEnv.A: is in connectionEnv too: keep one of the two$/m);
    const migration = { command: ["migrate"], env: { PGHOST: "elsewhere", B: "1" }, secretEnv: { B: "2" } };
    const defaults = await refusal({ image, env: { DATABASE_URL: "mine" }, migration });
    assert.match(defaults, /^ {2}env.DATABASE_URL: is in connectionEnv too/m);
    assert.match(defaults, /^ {2}migration.env.PGHOST: is in connectionEnv too/m);
    assert.match(defaults, /^ {2}migration.secretEnv.B: is in migration.env too/m);
  });

  it("are found in an environment: names and values that are no text", async () => {
    assert.match(
      await refusal({ image, env: { "1A": "x", B: 3 } }),
      /env: name "1A" is not an environment variable's name.*; "B" is a number: write it as a string, in quotes/,
    );
  });

  for (const property of ["volumes", "sidecars", "initContainers", "envFrom", "tolerations", "topologySpread", "writablePaths"]) {
    it(`are found in ${property} that is no list, or has an entry that is empty`, async () => {
      const message = `PostgresApp "notes": 1 argument has to change:\n  ${property}`;
      assert.strictEqual(
        await refusal({ image, [property]: { mountPath: "/tmp" } }),
        `${message}: is not a list: write it in [ ]`,
      );
      assert.strictEqual(await refusal({ image, [property]: "/tmp" }), `${message}: is not a list: write it in [ ]`);
      assert.strictEqual(await refusal({ image, [property]: [null] }), `${message}[0]: is empty: take it out`);
    });
  }

  it("are found in a generated secret whose value stands in place of its arguments, which would be lost", async () => {
    for (const value of ["not to be seen, 16 characters", pulumi.secret("not to be seen, 16 characters"), true])
      assert.match(
        await refusal({ image, generatedSecrets: { KEY: value } }),
        /^ {2}generatedSecrets.KEY: is not a map of arguments: write \{ value: … \} to give an existing value/m,
      );
  });

  it("are found in variables that have no value, as one of the program's own environment that is not set", async () => {
    const noValue = { S: process.env.NOT_THERE, T: null };
    for (const property of ["env", "secretEnv", "nodeSelector"])
      assert.match(
        await refusal({ image, [property]: noValue }),
        new RegExp(`^ {2}${property}: "S" has no value; "T" has no value: set it, or leave it out$`, "m"),
      );
  });

  it("are said with the way out for texts in place of numbers and the reverse, once for a map", async () => {
    const resources = { requests: { cpu: 1, memory: 5 }, limits: { cpu: "1 core", memory: 5 } };
    const embedded = { version: "17", storage: 10 };
    const message = await refusal({ image, replicas: "2", port: "80", resources, database: { embedded } });
    for (const line of [
      /^ {2}replicas: "2" is not a number: write it without quotes/m,
      /^ {2}port: "80" is not a number: write it without quotes/m,
      /^ {2}database.embedded.version: "17" is not a number: write it without quotes/m,
      /^ {2}database.embedded.storage: 10 is not a quantity: write it in quotes$/m,
      /^ {2}resources.requests: "cpu" 1 is not a quantity; "memory" 5 is not a quantity: write it in quotes$/m,
      /^ {2}resources.limits: "cpu" "1 core" is not a quantity: write for .*; "memory" 5 is not a quantity: write it in quotes$/m,
    ])
      assert.match(message, line);
  });

  it("are shown without any part of a password, in a URI or a conninfo", async () => {
    const validation = new Validation("it");
    for (const given of [
      "postgres://u:se@cr@et@db/notes",
      "postgres://u:se cr@et@db/notes",
      'postgres://u:se"cr@et@db/notes',
      "host=h password=secret dbname=d",
      "host=h password = 'se cr\\'et' dbname=d",
      "host=h password=se\\ cret dbname=d",
      "postgres://db/notes?user=u&password=secret&sslmode=require",
    ])
      validation.check("host", given, (value) => `${JSON.stringify(value)} is not a host name: write one`);
    assert.throws(
      () => validation.throwIfAny(),
      ({ message }: Error) => {
        assert.doesNotMatch(message, /se.?.?cr|cret|cr@|et@|'et/);
        for (const shown of ["postgres://u:…@db/notes", "password=… dbname=d", "password = … dbname=d", "password=…&sslmode"])
          assert.ok(message.includes(shown), message);
        return message.split("is not a host name: write one").length === 8;
      },
    );
  });

  it("are found in a default: a role called like the component", async () => {
    assert.match(await refusal({ image }, "postgres"), /database.user: "postgres" is a role of Postgres' own/);
    assert.match(await refusal({ image }, "pg-notes"), /database.user: "pg_notes" is a role of Postgres' own/);
    assert.strictEqual(await refusal({ image, database: { user: "notes" } }, "postgres"), "");
  });

  it("are shown without the values of secret settings", async () => {
    assert.doesNotMatch(await refusal({ image, secretEnv: { PIN: 271828 } }), /271828/);
  });

  describe("two places that migrate", () => {
    const migration = { command: ["migrate"] };
    it("is an image known to migrate when it starts, beside a migration, with its own command", async () => {
      const message = await refusal({ image: "docker.io/mitre/heimdall2:2.13.1", migration });
      assert.match(
        message,
        /^ {2}image: "docker.io\/mitre\/heimdall2:2.13.1" migrates when it starts, and migration.command would migrate a second time: set command to \["yarn", "backend", "start"\], or use migration.strategy "Startup"$/m,
      );
    });
    it("is an image declared to", async () => {
      const message = await refusal({ image, migration, migratesAtStart: true });
      assert.match(
        message,
        /^ {2}migratesAtStart: the image migrates when it starts, .*: set command to one that only starts the application, or use migration.strategy "Startup"$/m,
      );
    });
    it("is not an image with another command, nor one declared not to, nor one without a migration", async () => {
      assert.strictEqual(await refusal({ image: "mitre/heimdall2:2", migration, command: ["yarn", "backend", "start"] }), "");
      assert.strictEqual(await refusal({ image: "mitre/heimdall2:2", migration, migratesAtStart: false }), "");
      assert.strictEqual(await refusal({ image: "mitre/heimdall2:2" }), "");
    });
  });

  describe("a secret value where everybody who may read pods could read it", () => {
    const secret = pulumi.secret("not to be seen");
    const words = ["sh", "-c", secret];
    const migration = { command: ["migrate"] };
    const cases: [path: string, args: object, secrets: string][] = [
      ["command", { command: words }, "secretEnv"],
      ["args", { args: pulumi.output(words) }, "secretEnv"],
      ["probes.readiness.command", { probes: { readiness: { command: words } } }, "secretEnv"],
      ["workers.mail.command", { workers: { mail: { command: words } } }, "secretEnv"],
      ["workers.mail.args", { workers: { mail: { args: words } } }, "secretEnv"],
      ["rollout.canary.command", { command: ["a"], rollout: { canary: { command: words } } }, "secretEnv"],
      ["sidecars[0].command", { sidecars: [{ name: "a", image, command: words }] }, "a Secret"],
      ["migration.command", { migration: { command: words } }, "migration.secretEnv"],
      ["migration.command", { migration: { command: pulumi.output(words) } }, "migration.secretEnv"],
      ["migration.pending", { migration: { ...migration, pending: words } }, "migration.secretEnv"],
      ["migration.verify", { migration: { ...migration, verify: words } }, "migration.secretEnv"],
      ["migration.rollbackCommand", { migration: { ...migration, rollbackCommand: words } }, "migration.secretEnv"],
      ["migration.postDeploy.command", { migration: { ...migration, postDeploy: { command: words } } }, "migration.secretEnv"],
      ["migration.postDeploy.verify", { migration: { ...migration, postDeploy: { verify: words } } }, "migration.secretEnv"],
      ["migration.rerun", { migration: { ...migration, rerun: secret } }, ""],
      ['jobs.labels["team"]', { jobs: { labels: { team: secret } } }, ""],
      ['jobs.annotations["team"]', { jobs: { annotations: { team: secret } } }, ""],
    ];
    /** What is said of arguments, one of which turns out to be wrong. */
    const late = async (args: object) => {
      const validation = new Validation("it");
      const said = new Promise<string>((resolve) => (validation.onLate = ({ message }) => resolve(message)));
      resolveArgs("notes", shaped("PostgresAppArgs", { image, ...args }, validation), validation);
      validation.throwIfAny();
      return Promise.race([said, new Promise<string>((resolve) => setTimeout(resolve, 50, "").unref())]);
    };
    for (const [path, args, secrets] of cases)
      it(`is refused in ${path}`, async () => {
        const message = await late(args);
        const wayOut = secrets && `put it into ${secrets}, `;
        const expected = `\n  ${path}: holds a secret value, which would be readable in the cluster: ${wayOut}`;
        assert.ok(message.includes(expected), message);
        assert.doesNotMatch(message, /not to be seen/);
      });

    it("is none that is known later and no secret, and words that are known stay a list", async () => {
      const command = ["sh", pulumi.output("-c"), "true"];
      assert.strictEqual(await late({ command, migration: { command: pulumi.output(command), rerun: pulumi.output("1") } }), "");
      const validation = new Validation("it");
      assert.strictEqual(validation.open("command", words.slice(0, 2), "").length, 2);
      const known = ["sh", "-c"];
      assert.strictEqual(validation.open("command", known, ""), known);
    });
  });

  it("that are known only later fail when they are known", async () => {
    const later = new Validation('PostgresApp "notes"').check(
      "image",
      pulumi.output(Promise.resolve("Not An Image")),
      imageReference,
    );
    await assert.rejects(
      (later as any).promise(),
      /PostgresApp "notes": 1 argument has to change:\n {2}image: "Not An Image" is not an image reference/m,
    );
  });
});
