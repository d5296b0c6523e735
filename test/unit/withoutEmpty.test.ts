import * as assert from "assert";
import * as pulumi from "@pulumi/pulumi";
import { withoutEmpty } from "../../components/common/withoutEmpty";
import { PostgresApp } from "../../index";
import { graph } from "../support/graph";
import { programs } from "../support/manifests";

/** Fields whose empty object says something, and those that the API server and the operator write in any case. */
const STATEMENTS = ["emptyDir", "podSelector", "namespaceSelector", "resources", "postgresql"];

/** Paths of what is empty, but for values in maps and entries of lists. */
function empties(value: unknown, path = ""): string[] {
  if (Array.isArray(value)) return value.flatMap((one, index) => empties(one, `${path}[${index}]`));
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, one]) => {
    const at = `${path}.${key}`;
    if (one === "" && !/\.(annotations|labels|data|stringData|matchLabels|nodeSelector)\.[^.]+$/.test(at)) return [at];
    if (typeof one !== "object" || one === null || Object.keys(one).length || STATEMENTS.includes(key)) return empties(one, at);
    return [at];
  });
}

const objects = async (program: () => void) =>
  [...(await graph(program, { showSecrets: true })).resources.values()].filter(({ type }) => type.startsWith("kubernetes:"));

describe("nothing empty is sent to Kubernetes", () => {
  for (const [name, program] of Object.entries(programs))
    it(`by ${name}`, async () => {
      const all = await objects(program);
      assert.ok(all.length > 10);
      assert.deepStrictEqual(
        all.flatMap(({ type, name, inputs }) => empties(inputs).map((at) => `${type}::${name}${at}`)),
        [],
      );
    });

  it("also where a program's own arguments are empty", async () => {
    const program = () =>
      void new PostgresApp("notes", {
        image: "registry.example.org/notes:1.0.0",
        env: {},
        secretEnv: pulumi.secret({}),
        envFrom: [],
        nodeSelector: pulumi.output({}),
        tolerations: [],
        resources: { limits: {}, requests: pulumi.output({}) },
        sidecars: [{ name: "proxy", image: "registry.example.org/proxy:1", env: { EMPTY: "" } }],
        workers: { queue: { command: ["work"], env: pulumi.output({}) } },
        migration: { command: ["migrate"], env: { EMPTY: "" } },
        database: { cloudNativePg: { instances: 2, parameters: {} } },
      });
    const all = await objects(program);
    assert.deepStrictEqual(
      all.flatMap(({ name, inputs }) => empties(inputs).map((at) => `${name}${at}`)),
      [],
    );
    const { initContainers } = all.find(({ name, type }) => name === "notes" && type.endsWith(":StatefulSet"))!.inputs.spec
      .template.spec;
    assert.deepStrictEqual(initContainers[0].env, [{ name: "EMPTY" }]);
  });

  it("keeps what says something by being empty", () => {
    const said = {
      metadata: { annotations: { note: "" } },
      spec: {
        podSelector: {},
        egress: [{}],
        volumes: [{ name: "tmp", emptyDir: {} }],
        storageClassName: "",
        paused: false,
        replicas: 0,
      },
      data: { EMPTY: "" },
    };
    assert.deepStrictEqual(withoutEmpty(said), said);
  });

  it("leaves out what is known only later, and what was secret stays so", async () => {
    const { env, secret } = withoutEmpty({
      env: [{ name: "A", value: pulumi.output("") }],
      secret: pulumi.secret([{ ports: [] }]),
    });
    const known = await new Promise((resolve) => pulumi.output(env).apply(resolve));
    assert.deepStrictEqual(JSON.parse(JSON.stringify(known)), [{ name: "A" }]);
    assert.ok(await pulumi.isSecret(secret));
  });
});
