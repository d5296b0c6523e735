import * as assert from "assert";
import * as pulumi from "@pulumi/pulumi";
import { PostgresApp, PostgresAppArgs } from "../../index";
import { Validation } from "../../components/common/validation";
import { resolveArgs } from "../../components/resolveArgs";
import { graph } from "../support/graph";
import { refusal } from "../support/refusal";

const known: Partial<PostgresAppArgs> = { image: "docker.io/mitre/heimdall2:2.13.1" };
const unknown: Partial<PostgresAppArgs> = { image: "registry.example.org/notes:1.0.0" };
const start = ["node", "server.js"];
/** What is known of an image, or said. */
const images: Record<string, Partial<PostgresAppArgs>> = {
  known,
  "known, whose command is replaced": { ...known, command: start },
  "known, and said not to": { ...known, migratesAtStart: false },
  declared: { ...unknown, migratesAtStart: true },
  "declared, with a command": { ...unknown, migratesAtStart: true, command: start },
  unknown,
};
const migrations: Record<string, PostgresAppArgs["migration"]> = {
  "no migration": undefined,
  Job: { command: ["migrate"] },
  Startup: { strategy: "Startup" },
  InitContainer: { strategy: "InitContainer", command: ["migrate"] },
  None: { strategy: "None" },
};
/** By image, in the order of the migrations. */
const expected: Record<string, string[]> = {
  known: ["image", "refused", "image", "refused", "refused"],
  "known, whose command is replaced": ["nobody", "we", "refused", "we in pods", "nobody"],
  "known, and said not to": ["nobody", "we", "refused", "we in pods", "nobody"],
  declared: ["image", "refused", "image", "refused", "refused"],
  "declared, with a command": ["image", "we", "image", "we in pods", "nobody"],
  unknown: ["nobody", "we", "refused", "we in pods", "nobody"],
};
const numbers: Record<string, Partial<PostgresAppArgs>> = {
  "one pod": {},
  "three pods": { replicas: 3 },
  "as many as the autoscaler says": { autoscaling: { maxReplicas: 5 } },
};

const decided = (args: Partial<PostgresAppArgs>): string => {
  try {
    const { migration, startsAlone } = resolveArgs("notes", args as PostgresAppArgs, new Validation("PostgresApp"));
    const { who, inPods } = migration;
    assert.strictEqual(startsAlone, who === "image");
    return who === "we" && inPods ? "we in pods" : who;
  } catch (error) {
    if (!pulumi.InputPropertiesError.isInstance(error)) throw error;
    return "refused";
  }
};

describe("who migrates", () => {
  for (const [image, row] of Object.entries(expected))
    it(`with an image that is ${image}`, () => {
      Object.entries(migrations).forEach(([strategy, migration], column) => {
        for (const [number, pods] of Object.entries(numbers))
          for (const kind of ["StatefulSet", "Deployment"] as const) {
            // However many pods there are. Those of a Deployment would do it together.
            const wanted = kind === "Deployment" && row[column] === "image" ? "refused" : row[column];
            const what = `${strategy}, ${number}, ${kind}`;
            assert.strictEqual(decided({ ...images[image], migration, ...pods, kind }), wanted, what);
          }
      });
    });

  it("starts the pods of an image that does it one by one, whether a strategy says so or not", async () => {
    const made = async (args: Partial<PostgresAppArgs>) => {
      const { resources } = await graph(() => new PostgresApp("notes", args as PostgresAppArgs));
      const of = (kind: string) => resources.get(`kubernetes:${kind}::notes`);
      return {
        first: of("apps/v1:StatefulSet")!.inputs,
        timeouts: of("apps/v1:StatefulSet")!.options.customTimeouts,
        scaled: resources.get("kubernetes:apps/v1:StatefulSetPatch::notes-replicas")?.inputs.spec.replicas,
        autoscaler: of("autoscaling/v2:HorizontalPodAutoscaler")?.inputs.spec.minReplicas,
      };
    };
    for (const pods of [numbers["three pods"], numbers["as many as the autoscaler says"]]) {
      const without = await made({ ...known, ...pods });
      assert.deepStrictEqual(without, await made({ ...known, ...pods, migration: { strategy: "Startup" } }));
      const { first, scaled, autoscaler } = without;
      assert.deepStrictEqual(
        [first.spec.replicas, scaled, autoscaler],
        pods.autoscaling ? [1, undefined, 2] : [undefined, 3, undefined],
      );
    }
  });

  it("has to be known in time", async () => {
    const later = ({ image, ...more }: Partial<PostgresAppArgs>) =>
      (resolveArgs("notes", { image: pulumi.output(image!), ...more }, new Validation("PostgresApp")).image as any).promise();
    for (const fine of [unknown, { ...known, migratesAtStart: true }, { ...known, command: start }])
      assert.strictEqual(await later(fine), fine.image);
    await assert.rejects(
      later(known),
      /image: "docker.io\/mitre\/heimdall2:2.13.1" migrates when it starts, which is known too late to start its pods one by one: set migratesAtStart to true/,
    );
  });

  it("is not a login that cannot change the schema", async () =>
    assert.match(
      await refusal({ ...known, database: { credentials: { separateMigrator: true } } }),
      /^ {2}database.credentials.separateMigrator: leaves the application a login that cannot change the schema, and the image/m,
    ));

  it("is not the image's own start beside a Deployment, and the way out is said", async () =>
    assert.match(
      await refusal({ ...known, kind: "Deployment" }),
      /^ {2}kind: is "Deployment", whose pods start together, and each would migrate, as the image does when it starts: leave it out, or use migration.strategy "Job"/m,
    ));
});
