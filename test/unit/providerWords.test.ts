import * as assert from "assert";
import { readFileSync } from "fs";
import { join } from "path";
import { explanation as explainJob, ExplainedJob } from "../../components/migration/explain";
import { MigrationUndo } from "../../components/migration/restoreByHand";
import { REFUSED } from "../../components/app/claims";
import { explainExisting } from "../../components/app/exposure/explainExposure";
import { explanation as explainRollout, reports } from "../../components/app/explainRollout";
import { CANCELLED } from "../../components/common/hooks";
import { hadNoPod, neverBegan, notBegunWords } from "../../components/common/noPod";

/** What the official Kubernetes plugin (4.32) said when it was recorded, in clusters of others. Nothing here is of our own making. */
const live = (what: string) =>
  `was successfully created, but the Kubernetes API server reported that it failed to fully initialize or become live: ${what}`;
const resource = (kind: string) => `resource "urn:pulumi:stack::project::kubernetes:${kind}" `;
const failedJob = (...parts: string[]) =>
  `${parts.length + 1} errors occurred:\n\t* ${resource("batch/v1:Job::migrate")}${live("Resource 'migrate-0123abcd' was created but failed to initialize")}\n\t* ` +
  parts.join("\n\t* ");
const unready = "[Pod shop/migrate-0123abcd-x7k2p]: containers with unready status: [main]";
const said = {
  cancelled: `1 error occurred:\n\t* ${resource("batch/v1:Job::migrate")}${live("Resource operation was cancelled for 'migrate-0123abcd'")}`,
  // Quoted the other way by other versions, and with what its pods said last.
  cancelledWithPods: `2 errors occurred:\n\t* ${resource("batch/v1:Job::migrate")}${live('Resource operation was cancelled for "migrate-0123abcd"')}\n\t* ${unready}[ImagePullBackOff] Back-off pulling image "registry.example.org/notes:1"`,
  failed: failedJob(
    unready,
    "[Pod shop/migrate-0123abcd-x7k2p]: [Error] line one\nrelation users does not exist\n",
    "[BackoffLimitExceeded] Job has reached the specified backoff limit",
  ),
  deleted: `2 errors occurred:\n\t* the Kubernetes API server reported that "shop/migrate-0123abcd" failed to fully initialize or become live: Resource 'migrate-0123abcd' was created but failed to initialize\n\t* [BackoffLimitExceeded] Job has reached the specified backoff limit`,
  deadline: failedJob(
    unready,
    '[Pod shop/migrate-0123abcd-x7k2p]: container "main" completed with exit code 137',
    "[DeadlineExceeded] Job was active longer than specified deadline",
  ),
  crashed: `3 errors occurred:\n\t* ${resource("apps/v1:StatefulSet::db")}${live("'db' timed out waiting to be Ready")}\n\t* 0 out of 1 replicas succeeded readiness checks\n\t* [Pod shop/db-0]: containers with unready status: [main] \ncontainer "main" terminated at 2026-01-01T00:00:00Z (Error: exit code 1)\nwrong password`,
};

describe("what is looked for in the provider's words is what the official plugin says", () => {
  const job = (errors: string, what: ExplainedJob = "migration", undo?: MigrationUndo) =>
    explainJob({
      errors: [errors],
      what,
      undo,
      name: "migrate-0123abcd",
      namespace: "shop",
      images: ["registry.example.org/notes:1"],
      names: { prefix: "migration.", shared: "migration.", client: "database.external.version" },
    });
  const log = "the whole log: kubectl logs --namespace shop job/migrate-0123abcd --all-containers --prefix";

  it("of a Job that was let go of: that it goes on, and beside it what its pods said", () => {
    const goesOn =
      "the deployment was cancelled: it goes on in the cluster; the next `pulumi up` waits for its end, and then runs it again";
    assert.strictEqual(job(said.cancelled), [goesOn, log].join("\n"));
    assert.match(
      job(said.cancelledWithPods),
      /^the deployment was cancelled: it goes on in the cluster.*\nthe image ".*" cannot be pulled/,
    );
    assert.match(
      job(said.cancelled, "start"),
      /^the deployment was cancelled: nothing has begun; the next `pulumi up` runs it$/m,
    );
  });

  it("of a Job that failed, that was deleted, that took too long", () => {
    assert.strictEqual(job(said.failed), ["the migration failed", log].join("\n"));
    assert.match(job(said.deleted), /^the migration failed: its pod was deleted, or lost with its node$/m);
    assert.match(job(said.deadline), /^the migration failed: it did not come to its end in time: .*migration\.timeoutSeconds$/m);
  });

  it("of a migration that may have to be undone: what was done, and what is left to do, whatever way it ended", () => {
    const undo = { scripts: "migrate-scripts", restores: true };
    const byHand =
      "the backup from before, if it came to that, goes by the Job's name; to bring the database back to it:\nkubectl get configmap migrate-scripts --namespace shop --output 'jsonpath={.data.restore\\.json}' | sed 's/BACKUP_NAME/migrate-0123abcd/g' | kubectl create --namespace shop --filename -";
    const unknown = "restoreOnFailure: its pod does not say what became of it: see what the database holds";
    for (const words of [said.failed, said.deleted, said.deadline]) {
      assert.ok(job(words, "migration", undo).includes(`\n${unknown}\n${byHand}`), words);
      assert.ok(job(words, "migration", { ...undo, restores: false }).includes(`\n${byHand}`), words);
      assert.doesNotMatch(job(words, "migration", { ...undo, restores: false }), /restoreOnFailure/);
      assert.doesNotMatch(job(words), /the backup from before/);
    }
    assert.doesNotMatch(job(said.cancelled, "migration", undo), /restoreOnFailure|the backup from before/);
    const pod = (guard: string, migrate: string) =>
      failedJob(unready, `[Pod shop/migrate-0123abcd-x7k2p]: [Completed] ${guard}\n[Error] ${migrate}\n`);
    const done = "restoreOnFailure: done: the database is as in notes.dump, without what was written since";
    const ended = 'migrate: "sh" failed with exit code 3\nmigrate: the whole log: kubectl logs x';
    assert.strictEqual(job(pod(done, ended), "migration", undo), `the migration failed: "sh" failed with exit code 3\n${done}`);
    const failed = "restoreOnFailure: it failed: the disk is full; to try again:\nkubectl by hand";
    assert.match(job(pod(failed, ended), "migration", undo), /^restoreOnFailure: it failed: the disk is full$/m);
    const told = ended.replace("\n", "\nthe backup from before: notes.dump\nkubectl by hand\n");
    assert.doesNotMatch(job(pod("backup=notes.dump", told), "migration", undo), /Job's name|does not say/);
    const begun = ended.replace("\n", "\nnothing was begun\n");
    assert.doesNotMatch(job(pod("no connection", begun), "migration", undo), /Job's name|does not say/);
  });

  it("of a Job without a pod: what that can be, and which argument is the way out", () => {
    // The provider says of it no more than this: the events are on its screen alone.
    const podless = failedJob("[DeadlineExceeded] Job was active longer than specified deadline");
    for (const what of ["start", "migration"] as const) {
      const text = job(podless, what);
      assert.match(
        text,
        /: no node took its pod in time: lower migration\.resources\.requests, or add a node; or the cluster let no pod be made/,
      );
      assert.match(text, /limits for a quota \(jobs\.limits\), a user of the namespace's range \(jobs\.runAsUser\)/);
      assert.match(text, /`kubectl get events --namespace shop --field-selector type=Warning` says which/);
    }
    assert.ok(hadNoPod([podless]) && ![said.deadline, said.deleted, said.failed].some((each) => hadNoPod([each])));
  });

  it("of a Job whose pod mounts what is not there: that it did not begin, and where the reason stands", () => {
    const stuck = failedJob("[DeadlineExceeded] Job was active longer than specified deadline").concat(
      "\n\t* [ContainerStatusUnknown] The container could not be located when the pod was terminated",
    );
    assert.ok(neverBegan([stuck]) && !neverBegan([said.deadline]) && !hadNoPod([`[Pod shop/x]: ${stuck}`]));
    assert.match(notBegunWords("shop"), /a Secret, ConfigMap or claim that it mounts is missing.*--namespace shop/);
  });

  it("of a claim that is there already and cannot be changed so, but not of one for which there is no quota", () => {
    const claim = (what: string) =>
      `1 error occurred:\n\t* the Kubernetes API server reported that "shop/notes-files" failed to fully initialize or become live: ${what}`;
    const refusals = [
      'persistentvolumeclaims "notes-files" is forbidden: only dynamically provisioned pvc can be resized and the storageclass that provisions the pvc must support resize',
      'PersistentVolumeClaim "notes-files" is invalid: spec: Forbidden: spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims',
    ];
    for (const words of refusals) assert.match(claim(words), REFUSED);
    assert.doesNotMatch(claim('persistentvolumeclaims "notes-files" is forbidden: exceeded quota: storage'), REFUSED);
  });

  it("of an application that is there already: whose it can be, and what to delete of it", () => {
    const errors = [
      'resource "urn:pulumi:stack::project::kubernetes:core/v1:Service::notes" was not successfully created by the Kubernetes API server: services "notes" already exists\nadvice',
    ];
    const text = explainExisting({ errors, newInputs: { metadata: { name: "notes", namespace: "shop" } } });
    assert.match(text!, /^there is an application "notes" in this namespace already, of which this stack's state knows nothing/);
    // The command is the one of the page, which is tried on a cluster.
    const page = readFileSync(join(__dirname, "..", "..", "docs", "recovery.md"), "utf8");
    const [command] = /^ {2}kubectl .*$/m.exec(text!)!;
    assert.ok(page.split("\n").includes(command.trim()), command);
    assert.strictEqual(explainExisting({ errors: [said.crashed], newInputs: {} }), undefined);
  });

  it("of a rollout: each pod by its name, and why its container ended", () => {
    assert.deepStrictEqual(
      reports([said.crashed]).map(({ namespace, pod }) => `${namespace}/${pod}`),
      ["shop/db-0"],
    );
    for (const words of [said.crashed, said.crashed.replace('\ncontainer "', '\nContainer "')]) {
      const text = explainRollout({ errors: [words], workload: {}, seconds: 60 });
      assert.match(text, /^ {2}db-0: container main ended with exit code 1: its last words are above$/m);
    }
    assert.ok(CANCELLED.test(said.cancelled) && !CANCELLED.test(said.crashed));
  });
});
