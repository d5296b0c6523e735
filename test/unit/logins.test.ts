import * as assert from "assert";
import * as pulumi from "@pulumi/pulumi";
import * as apps from "@pulumi/kubernetes/apps/v1";
import { loggingIn } from "../../components/app/logins";
import { known } from "../../components/common/hooks";

describe("the login of a workload's pods", () => {
  const now = "notes-db-connection-0123abcd";
  const login = (...secrets: string[]) => {
    const env = secrets.map((name) => ({ name: "DATABASE_URL", valueFrom: { secretKeyRef: { name, key: "uri" } } }));
    const spec = pulumi.output({ template: { spec: { containers: [{ name: "notes", env }] } } });
    return known(loggingIn("notes", { spec } as unknown as apps.StatefulSet, now).actual);
  };

  it("is that of the Secret in their template", async () => assert.strictEqual(await login(now), now));

  it("is another one where the Secret is another of the component's", async () =>
    assert.notStrictEqual(await login("notes-db-connection-4567cdef"), now));

  it("is not held against pods that have none of the component's Secrets", async () => {
    for (const secrets of [[], ["synced-copy"]]) assert.strictEqual(await login(...secrets), now);
  });
});
