import * as assert from "assert";
import { ghost, PostgresApp, PostgresAppArgs } from "../../index";
import { shaped } from "../../components/common/shape";
import { Validation } from "../../components/common/validation";
import { resolveArgs } from "../../components/resolveArgs";
import { graph } from "../support/graph";
import { known } from "../support/known";
import { presets } from "../support/presets";

const HOST = "app.example.org";

/** What a call throws, in one piece. */
function refusalOf(call: () => unknown): string {
  try {
    call();
  } catch (error) {
    return (error as Error).message;
  }
  return "";
}

/** Names under which nobody would look for something harmless. */
const SECRET = /PASSWORD|SECRET|PASSWD|TOKEN|PRIVATE|(^|_)KEY($|_)|SALT/;

for (const { name, preset, repository, versions, tooOld, liveness, urlVariable } of presets) {
  const app = name.toLowerCase();
  describe(`the preset ${name}`, () => {
    for (const version of [undefined, ...versions]) {
      describe(version === undefined ? "of no version" : `of ${version}`, () => {
        const args: PostgresAppArgs = preset({ version, host: HOST });

        it("has nothing that the component refuses, with and without a host", () => {
          for (const of of [args, preset({ version })]) {
            const validation = new Validation(app);
            resolveArgs(app, shaped("PostgresAppArgs", of, validation), validation);
          }
        });

        it("is the official image of that version", () => {
          const image = args.image as string;
          assert.ok(image.startsWith(`${repository}:`), image);
          assert.ok(image.includes(version ?? versions[0]), image);
          assert.doesNotMatch(image, /latest|stable|main/);
        });

        it("runs as a user of its own that is not root, and asks for what it needs", async () => {
          assert.ok((args.runAsUser as number) > 0, `runAsUser is ${String(args.runAsUser)}`);
          const { requests } = (await known(args.resources)) ?? {};
          assert.ok(requests?.cpu && requests.memory, "no requests");
        });

        it("is asked over HTTP whether it can serve", () => {
          assert.ok(args.probes?.readiness?.httpPath, "no path for readiness");
        });

        it("is asked for life where no database is needed", () => {
          const asked = typeof liveness === "string" ? liveness : liveness[version ?? versions[0]];
          assert.strictEqual(args.probes?.liveness?.httpPath ?? "", asked);
        });

        it("has no secret among its plain settings", async () => {
          const env = { ...(await known(args.env)), ...(await known(args.migration?.env ?? {})) };
          // A file's name, a number or a switch is no secret, whatever the variable is called.
          const suspects = Object.entries(env).filter(
            ([variable, value]) => SECRET.test(variable) && !/^(true|false|\d+|\/.*|)$/.test(String(value)),
          );
          assert.deepStrictEqual(suspects, []);
        });

        it("migrates in one place", () => {
          if (args.migration?.strategy === "Startup") return;
          assert.ok(args.migration?.command, "no migration");
        });
      });
    }

    it("becomes an application", async () => {
      const { resources } = await graph(() => new PostgresApp(app, preset({ host: HOST })));
      const kinds = ["StatefulSet", "Deployment"].filter((kind) => resources.has(`kubernetes:apps/v1:${kind}::${app}`));
      assert.strictEqual(kinds.length, 1, [...resources.keys()].join(" "));
    });

    it("is told its address, and has an Ingress for it", async () => {
      const args = preset({ host: HOST });
      if (urlVariable) assert.match((await known(args.env))[urlVariable], new RegExp(HOST));
      assert.deepStrictEqual(((await known(args)) as { ingress?: { hosts: string[] } }).ingress?.hosts, [HOST]);
      assert.ok(!("ingress" in preset()), "an Ingress for nobody");
    });

    it("takes settings over its own", async () => {
      const [ours] = Object.keys((await known(preset().env)) as object);
      const env = await known(preset({ env: { [ours]: "other", MORE: "more" } }).env);
      assert.deepStrictEqual([env[ours], env.MORE], ["other", "more"]);
      const secret = preset({ secretEnv: { [ours]: "hidden" } });
      assert.ok(!(ours in (await known(secret.env))), `${ours} is in env too`);
      assert.strictEqual((await known(secret.secretEnv))[ours], "hidden");
    });

    it("takes another image, which the version still has a say in", () => {
      assert.strictEqual(preset({ image: "mirror.example.org/it:1" }).image, "mirror.example.org/it:1");
    });

    it("says all that is wrong at once, in its own name", () => {
      const message = refusalOf(() => preset({ version: tooOld, host: "https://app.example.org/", image: "Not An Image" }));
      assert.match(message, new RegExp(`^${name}: 3 arguments have to change:`));
      for (const part of [`version: "${tooOld}" is older`, "host: ", "image: "]) assert.ok(message.includes(part), message);
      assert.match(
        refusalOf(() => preset({ version: "latest" })),
        /version: "latest" is not a version: write one like "\d/,
      );
      assert.match(
        refusalOf(() => preset({ version: `v${versions[0]}` })),
        /without "v"/,
      );
      assert.match(
        refusalOf(() => preset({ ingress: {} })),
        /ingress: needs host/,
      );
    });

    it("can be given the secrets that there are already, one way only", async () => {
      const generated = Object.keys(preset().generatedSecrets ?? {});
      for (const variable of generated) {
        const given = preset({ generatedSecrets: { [variable]: { value: "as it was before" } } }).generatedSecrets![variable];
        assert.deepStrictEqual(given, { ...preset().generatedSecrets![variable], value: "as it was before" });
        assert.match(
          refusalOf(() => preset({ secretEnv: { [variable]: "as it was before" } })),
          new RegExp(`secretEnv.${variable}: is generated here`),
        );
      }
    });
  });
}

describe("the preset ghost", () => {
  it("refuses, and says why", () => {
    assert.throws(() => ghost(), { message: /MySQL 8.*not Postgres/ });
  });
});
