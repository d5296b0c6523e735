import * as pulumi from "@pulumi/pulumi";
import * as batch from "@pulumi/kubernetes/batch/v1";
import * as core from "@pulumi/kubernetes/core/v1";
import { Child, jobOptions, rerunUnlessComplete } from "../common/childOptions";
import { identityOf, unasked } from "../common/clusterRules";
import { together } from "../common/hooks";
import { labels } from "../common/labels";
import { Earlier, isComplete, madeFor, onlyAfter } from "../common/order";
import { PostgresDatabase } from "../database/postgresDatabase";
import { explainFailure } from "../migration/explain";
import { canaryDeadline, canaryFiles, canaryJob, ResolvedCanary } from "./canary";
import { AppSurroundings, ResolvedApp } from "./workload";

const CANARY = {
  missing: "the canary has not run",
  other: "the canary that has run is not of the version that the program says",
  unfinished: "the canary has not succeeded",
};

/** Starts one pod of the new version by itself. The rollout may begin only when it has run. */
export function startCanary(
  name: string,
  app: ResolvedApp & { namespace?: pulumi.Input<string> },
  canary: ResolvedCanary,
  {
    database,
    dependsOn,
    earlier,
    ...around
  }: AppSurroundings & { database: PostgresDatabase; dependsOn: pulumi.Resource[]; earlier: Earlier[] },
  child: Child,
): Earlier {
  const metadata = { namespace: app.namespace, labels: labels(name, "canary") };
  const scripts = `${name}-canary-scripts`;
  const files = new core.ConfigMap(scripts, { metadata: { ...metadata, name: scripts }, data: canaryFiles(canary) }, child());
  const names = { prefix: "rollout.canary.", shared: "", client: "the image of Postgres' programs" };
  const hooks = together(
    explainFailure(`${name}-canary-failure`, "canary", names),
    onlyAfter(`${name}-canary-in-order`, "nothing was rolled out", earlier),
  );
  const spec = canaryJob(app, canary, { ...around, labels: metadata.labels, client: database.client, scripts });
  const identity = identityOf(spec.template);
  const object = new batch.Job(
    `${name}-canary`,
    { metadata: { ...metadata, annotations: { ...rerunUnlessComplete, ...madeFor(identity) } }, spec },
    child({
      ...jobOptions(canaryDeadline(canary)),
      ignoreChanges: unasked(database.client.rules),
      hooks,
      dependsOn: [...dependsOn, files],
    }),
  );
  const actual = object.spec.template;
  return {
    object,
    identity,
    actual,
    isDone: isComplete,
    words: CANARY,
    targets: `**::${name}-canary*`,
  };
}
