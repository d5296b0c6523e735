import * as pulumi from "@pulumi/pulumi";
import * as batch from "@pulumi/kubernetes/batch/v1";
import * as core from "@pulumi/kubernetes/core/v1";
import { Child, jobOptions, rerunUnlessComplete } from "../common/childOptions";
import { labels } from "../common/labels";
import { PostgresDatabase } from "../database/postgresDatabase";
import { explainFailure } from "../migration/explain";
import { canaryDeadline, canaryFiles, canaryJob, ResolvedCanary } from "./canary";
import { AppSurroundings, ResolvedApp } from "./workload";

/** Starts one pod of the new version by itself. Returns the Job, after which the rollout may begin. */
export function startCanary(
  name: string,
  app: ResolvedApp & { namespace?: pulumi.Input<string> },
  canary: ResolvedCanary,
  { database, dependsOn, ...around }: AppSurroundings & { database: PostgresDatabase; dependsOn: pulumi.Resource[] },
  child: Child,
): batch.Job {
  const metadata = { namespace: app.namespace, labels: labels(name, "canary") };
  const scripts = `${name}-canary-scripts`;
  const files = new core.ConfigMap(scripts, { metadata: { ...metadata, name: scripts }, data: canaryFiles(canary) }, child());
  const hooks = explainFailure(`${name}-canary-failure`, "canary", "");
  return new batch.Job(
    `${name}-canary`,
    {
      metadata: { ...metadata, annotations: rerunUnlessComplete },
      spec: canaryJob(app, canary, { ...around, labels: metadata.labels, client: database.client, scripts }),
    },
    child({ ...jobOptions(canaryDeadline(canary)), hooks, dependsOn: [...dependsOn, files] }),
  );
}
