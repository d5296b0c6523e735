import * as assert from "assert";
import * as pulumi from "@pulumi/pulumi";
import { PostgresApp, PostgresAppArgs } from "../../index";
// eslint-disable-next-line @typescript-eslint/no-require-imports -- internal, so without a type
const { waitForRPCs } = require("@pulumi/pulumi/runtime/settings");

const S3 = { bucket: "backups", endpoint: "https://s3.example.org", secretName: "s3" };
const programs: Record<string, Partial<PostgresAppArgs>> = {
  "nothing but an image": {},
  "an existing claim": { database: { embedded: { existingClaim: "left" } } },
  "data that goes with it": { database: { onDelete: "delete", embedded: {} }, generatedSecrets: { KEY: { format: "hex" } } },
  "every part of a migration": {
    database: { credentials: { separateMigrator: true, rotation: 2 } },
    migration: {
      command: ["migrate"],
      pending: ["pending"],
      rehearsal: {},
      backup: { claim: { claimName: "backups" } },
      postDeploy: { command: ["contract"] },
    },
  },
  CloudNativePG: {
    database: { cloudNativePg: { instances: 3 }, backups: { schedule: "30 2 * * *", destination: { s3: S3 } } },
  },
  "a managed server": { database: { external: { host: "db.example.org", admin: { user: "admin", password: "secret" } } } },
  "an existing Secret": { database: { external: { secret: { name: "database", uriKey: "uri" } } } },
  "generated secrets": { generatedSecrets: { HEX: { format: "hex" }, BASE64: { format: "base64" }, TEXT: {} } },
  "much around the application": {
    kind: "Deployment",
    replicas: 2,
    command: ["start"],
    rollout: { canary: { command: ["smoke"] } },
    workers: { mail: { command: ["mail"] } },
    ingress: { hosts: ["notes.example.org"], controller: "nginx", tls: { clusterIssuer: "letsencrypt" } },
    monitoring: {},
    networkPolicy: {},
  },
  "a load balancer": { service: { type: "LoadBalancer" } },
  "an image that migrates at start": { migration: { strategy: "Startup" }, migratesAtStart: true, command: ["start"] },
  "pods that migrate": { migration: { strategy: "InitContainer", command: ["migrate"] } },
};

/** As in Pulumi's documentation of unit tests: what is created has its inputs for outputs, and nothing else. */
describe("mocks that answer with the inputs", () => {
  for (const preview of [false, true])
    for (const [what, args] of Object.entries(programs))
      it(`are enough for ${what}${preview ? ", in a preview" : ""}`, async () => {
        const errors: unknown[] = [];
        const failed = (error: unknown) => void errors.push(error);
        process.prependListener("unhandledRejection", failed);
        try {
          await pulumi.runtime.setMocks(
            { newResource: ({ name, inputs }) => ({ id: `${name}-id`, state: inputs }), call: ({ inputs }) => inputs },
            "project",
            "stack",
            preview,
          );
          const app = new PostgresApp("notes", { image: "registry.example.org/notes:1.0.0", ...args });
          const known: unknown[] = [];
          for (const output of [app.url, app.connectionSecretName, app.namespace, app.serviceName, app.keptData])
            output.apply((value) => known.push(value));
          await waitForRPCs();
          await new Promise((resolve) => setTimeout(resolve, 50)); // a rejection is seen at the end of a turn
          assert.deepStrictEqual(errors, []);
          for (const value of known) assert.doesNotMatch(String(value), /undefined|null/);
          if (!preview) assert.strictEqual(known.length, 5);
        } finally {
          process.removeListener("unhandledRejection", failed);
        }
      });
});
