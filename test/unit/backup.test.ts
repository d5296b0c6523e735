import * as assert from "assert";
import { cronSchedule, retention, retentionDays, timeZone } from "../../components/common/schedule";
import { Validation } from "../../components/common/validation";
import {
  backupCheckJob,
  backupCronJob,
  backupFiles,
  backupPod,
  DatabaseBackupsArgs,
  resolveBackups,
} from "../../components/database/backup";
import { DatabaseRestoreArgs, resolveRestore, restoreFiles, restoreJob } from "../../components/database/restore";
import { known } from "../support/known";

const claim = { claimName: "backups", subPath: "notes" };
const s3 = { bucket: "backups", prefix: "notes/", secretName: "keys" };
const password = { name: "PGPASSWORD", valueFrom: { secretKeyRef: { name: "connection", key: "password" } } };
const around = {
  client: {
    image: "postgres:17",
    uid: 999,
    env: [password],
    volumes: [{ name: "database-ca" }],
    volumeMounts: [{ name: "database-ca", mountPath: "/ca" }],
    rules: {},
  },
  scripts: "scripts",
  labels: { "app.kubernetes.io/component": "backup" },
  versionArgument: "database.external.version",
};

function refusal(resolve: (validation: Validation) => unknown): string {
  const validation = new Validation("Test");
  resolve(validation);
  try {
    validation.throwIfAny();
    return "";
  } catch (error) {
    return (error as Error).message;
  }
}

const backups = (args: DatabaseBackupsArgs) => resolveBackups(args, "backups", new Validation("Test"), {});
const restore = (args: DatabaseRestoreArgs) => resolveRestore(args, "restoreFrom", new Validation("Test"), {});
const variables = (container: any) => Object.fromEntries(container.env.map(({ name, value }: any) => [name, value]));

describe("backups' arguments", () => {
  for (const right of [
    "30 2 * * *",
    "*/15 * * * *",
    "0 0-6/2,12 1 jan,JUL mon-fri",
    "0 0 ? * 0",
    "0 3 31 12 6",
    " 5  4 * * * ",
    "5/10 * * * *",
  ])
    it(`accept the schedule "${right}"`, () => assert.strictEqual(cronSchedule(right), undefined));

  for (const [wrong, why] of [
    ["@daily", "is not a schedule of five fields"],
    ["* * * *", "is not a schedule of five fields"],
    ["0 30 2 * * *", "is not a schedule of five fields"],
    ["60 * * * *", 'has "60" as its minute, which is \\*, or 0 to 59'],
    ["0 24 * * *", 'has "24" as its hour'],
    ["0 0 0 * *", 'has "0" as its day of the month'],
    ["0 0 * 13 *", 'has "13" as its month'],
    ["0 0 * * 7", 'has "7" as its day of the week, which is \\*, or 0 to 6'],
    ["0 0 * * mon-sun", 'has "mon-sun"'],
    ["*/0 * * * *", 'has "\\*/0"'],
    ["1,,2 * * * *", 'has "1,,2"'],
    ["-5 * * * *", 'has "-5"'],
    ["TZ=UTC 0 2 * * *", "is not a schedule of five fields"],
    [7 as never, "is not a schedule of five fields"],
  ])
    it(`refuse the schedule ${JSON.stringify(wrong)}`, () => assert.match(cronSchedule(wrong) ?? "", new RegExp(why)));

  it("take CloudNativePG's format of a retention", () => {
    assert.deepStrictEqual(["14d", "2w", "6m"].map(retentionDays), [14, 14, 180]);
    for (const right of ["1d", "14d", "2w", "6m"]) assert.strictEqual(retention(right), undefined);
    for (const wrong of ["14", "0d", "d", "2y", "1.5w", "-1d", "14 d", 14 as never]) assert.match(retention(wrong) ?? "", /14d/);
  });

  it("take time zones by their IANA names", () => {
    for (const right of ["Etc/UTC", "Europe/Berlin", "America/Argentina/Buenos_Aires", "UTC"])
      assert.strictEqual(timeZone(right), undefined, right);
    for (const wrong of ["Local", "+02:00", "Europe/Nowhere", "", "Europe/../UTC"])
      assert.match(timeZone(wrong) ?? "", /is not a time zone/, wrong);
  });

  it("have defaults", () => {
    const { timeZone, retention, timeoutSeconds, resources, destination } = backups({
      schedule: "0 2 * * *",
      destination: { s3 },
    });
    assert.deepStrictEqual([timeZone, retention, timeoutSeconds], ["Etc/UTC", "14d", 3600]);
    assert.deepStrictEqual(resources.requests, { cpu: "100m", memory: "128Mi" });
    assert.deepStrictEqual(
      [destination.s3!.accessKeyIdKey, destination.s3!.secretAccessKeyKey, destination.s3!.image],
      ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "docker.io/rclone/rclone:1"],
    );
  });

  it("that are wrong are all named at once, each with the way out", () => {
    const wrong = {
      schedule: "nightly",
      timeZone: "Local",
      retention: "forever",
      destination: {
        claim: { claimName: "Backups", subPath: "../other" },
        s3: {
          endpoint: "minio:9000",
          bucket: "s3://backups",
          prefix: "/notes",
          secretName: "",
          accessKeyIdKey: "a b",
          image: "Rclone",
        },
      },
      timeoutSeconds: 0,
      resources: { limits: { memory: "1GB" } },
    };
    const message = refusal((validation) => resolveBackups(wrong, "backups", validation, {}));
    for (const line of [
      /backups.schedule: "nightly" is not a schedule of five fields: write minute, hour/,
      /backups.timeZone: "Local" is not a time zone/,
      /backups.retention: "forever" is not a span of time/,
      /backups.destination: has claim and s3: give exactly one of claim \(a volume in the cluster\) and s3/,
      /backups.destination.claim.claimName: "Backups" is not the name of an object/,
      /backups.destination.claim.subPath: "..\/other" is not a folder/,
      /backups.destination.s3.endpoint: "minio:9000" is not a URL: begin it with https:\/\//,
      /backups.destination.s3.bucket: "s3:\/\/backups" is not a bucket's name/,
      /backups.destination.s3.prefix: "\/notes" is not a folder: write it without a leading "\/"/,
      /backups.destination.s3.secretName: is missing: name the Secret/,
      /backups.destination.s3.accessKeyIdKey: "a b" is not a key of a Secret/,
      /backups.destination.s3.image: "Rclone" has capitals/,
      /backups.timeoutSeconds: 0 is out of range/,
      /backups.resources.limits: "memory" "1GB" is not a quantity/,
    ])
      assert.match(message, line);
    assert.match(message, /14 arguments have to change/);
    assert.match(
      refusal((validation) => resolveBackups({} as never, "backups", validation, {})),
      /backups.schedule: is missing: say when[^]*backups.destination: does not say where backups are: give exactly one of/,
    );
  });

  it("of a restore are checked too", () => {
    const resolve = (args: object) => refusal((validation) => resolveRestore(args, "restoreFrom", validation, {}));
    assert.match(resolve({}), /restoreFrom: does not say where backups are: give exactly one of claim/);
    assert.match(resolve({ claim, backup: "last night" }), /restoreFrom.backup: "last night" is not a backup's name/);
    assert.match(resolve({ claim, timeoutSeconds: 1.5 }), /restoreFrom.timeoutSeconds: 1.5 is out of range/);
    assert.strictEqual(resolve({ s3, backup: "notes-20260131T023000Z.dump" }), "");
  });
});

/** What the restricted Pod Security Standard asks, and what of ours holds for every pod. */
function assertRestricted({ spec }: any) {
  assert.strictEqual(spec.automountServiceAccountToken, false);
  assert.deepStrictEqual(spec.securityContext, {
    runAsNonRoot: true,
    runAsUser: 999,
    runAsGroup: 999,
    fsGroup: 999,
    fsGroupChangePolicy: "OnRootMismatch",
    seccompProfile: { type: "RuntimeDefault" },
  });
  const volumes = spec.volumes.map(({ name }: any) => name);
  for (const container of [...(spec.initContainers ?? []), ...spec.containers]) {
    assert.deepStrictEqual(container.securityContext, {
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ["ALL"] },
    });
    for (const { name } of container.volumeMounts) assert.ok(volumes.includes(name), `${container.name} mounts ${name}`);
    assert.ok(container.resources.requests.memory);
  }
}

describe("the backup's CronJob", () => {
  it("runs one at a time, keeps its logs, and has a deadline", async () => {
    const spec = await known(
      backupCronJob(backups({ schedule: "0 2 * * *", destination: { claim }, timeoutSeconds: 60 }), around),
    );
    const { jobTemplate, ...rest } = spec;
    assert.deepStrictEqual(rest, {
      schedule: "0 2 * * *",
      timeZone: "Etc/UTC",
      concurrencyPolicy: "Forbid",
      startingDeadlineSeconds: 3600,
      successfulJobsHistoryLimit: 3,
      failedJobsHistoryLimit: 3,
    });
    assert.strictEqual(jobTemplate.spec.backoffLimit, 1);
    assert.strictEqual(jobTemplate.spec.activeDeadlineSeconds, 60);
    assert.strictEqual(jobTemplate.spec.template.spec.restartPolicy, "Never");
    assertRestricted(jobTemplate.spec.template);
  });

  it("with a claim has one container, which writes there", async () => {
    const pod = await known(backupPod(backups({ schedule: "0 2 * * *", destination: { claim }, retention: "2w" }), around));
    assertRestricted(pod);
    assert.strictEqual(pod.spec.initContainers, undefined);
    const [container] = pod.spec.containers;
    assert.deepStrictEqual(container.command, ["sh", "/etc/postgres-app/scripts/backup.sh"]);
    assert.deepStrictEqual(variables(container), {
      PGPASSWORD: undefined,
      FOLDER: "/backups",
      WHERE: "claim backups/notes",
      RETENTION_DAYS: "14",
      TIMEOUT_SECONDS: "3600",
      VERSION_ARGUMENT: "database.external.version",
    });
    assert.deepStrictEqual(container.env[0], password);
    assert.deepStrictEqual(container.volumeMounts.slice(1, 3), [
      { name: "database-ca", mountPath: "/ca" },
      { name: "backups", mountPath: "/backups", subPath: "notes" },
    ]);
    assert.deepStrictEqual(pod.spec.volumes[2], { name: "backups", persistentVolumeClaim: { claimName: "backups" } });
  });

  it("with a bucket dumps first, then uploads with what the Secret holds, and neither sees the other's credentials", async () => {
    const given = { ...s3, endpoint: "https://s3.example.org", accessKeyIdKey: "id" };
    const pod = await known(backupPod(backups({ schedule: "0 2 * * *", destination: { s3: given } }), around));
    assertRestricted(pod);
    const [dump] = pod.spec.initContainers;
    const [upload] = pod.spec.containers;
    assert.deepStrictEqual([dump.image, upload.image], ["postgres:17", "docker.io/rclone/rclone:1"]);
    assert.strictEqual(variables(dump).UPLOAD, "true");
    assert.doesNotMatch(JSON.stringify(dump), /RCLONE|"keys"/);
    assert.doesNotMatch(JSON.stringify(upload), /PGPASSWORD|database-ca/);
    const from = (key: string) => ({ secretKeyRef: { name: "keys", key } });
    assert.deepStrictEqual(upload.env, [
      { name: "RCLONE_CONFIG_STORE_TYPE", value: "s3" },
      { name: "RCLONE_CONFIG_STORE_PROVIDER", value: "Other" },
      { name: "RCLONE_CONFIG_STORE_ENDPOINT", value: "https://s3.example.org" },
      { name: "RCLONE_CONFIG_STORE_REGION", value: "us-east-1" },
      { name: "RCLONE_CONFIG_STORE_NO_CHECK_BUCKET", value: "true" },
      { name: "RCLONE_CONFIG_STORE_ACCESS_KEY_ID", valueFrom: from("id") },
      { name: "RCLONE_CONFIG_STORE_SECRET_ACCESS_KEY", valueFrom: from("AWS_SECRET_ACCESS_KEY") },
      { name: "S3_BUCKET", value: "backups" },
      { name: "S3_PREFIX", value: "notes/" },
      { name: "FOLDER", value: "/backups" },
      { name: "WHERE", value: "s3://backups/notes" },
      { name: "RETENTION_DAYS", value: "14" },
    ]);
    assert.deepStrictEqual(pod.spec.volumes[2], { name: "backups", emptyDir: {} });
    const amazon = await known(backupPod(backups({ schedule: "0 2 * * *", destination: { s3 } }), around));
    const env = variables(amazon.spec.containers[0]);
    assert.deepStrictEqual([env.RCLONE_CONFIG_STORE_PROVIDER, "RCLONE_CONFIG_STORE_ENDPOINT" in env], ["AWS", false]);
  });
});

describe("the check of backups", () => {
  const checked = (destination: DatabaseBackupsArgs["destination"]) =>
    known(backupCheckJob(backups({ schedule: "0 2 * * *", destination, retention: "2w", timeoutSeconds: 7 }), around, true));

  it("is a Job of the backup's own pod, which changes with destination and programs alone", async () => {
    const onClaim = await checked({ claim });
    assertRestricted(onClaim.template);
    assert.deepStrictEqual([onClaim.backoffLimit, onClaim.activeDeadlineSeconds], [0, 300]);
    const [container] = onClaim.template.spec.containers;
    assert.deepStrictEqual(container.command.slice(1), ["/etc/postgres-app/scripts/backup.sh", "check"]);
    assert.deepStrictEqual(Object.keys(variables(container)), ["PGPASSWORD", "FOLDER", "WHERE", "VERSION_ARGUMENT"]);
    assert.ok(container.volumeMounts.every(({ readOnly, name }: any) => !readOnly || name === "scripts"));

    const { spec } = (await checked({ s3 })).template;
    const steps = [...spec.initContainers, ...spec.containers].map(({ command }: any) => command.slice(1));
    assert.deepStrictEqual(steps, [
      ["/etc/postgres-app/scripts/backup.sh", "check"],
      ["/etc/postgres-app/scripts/upload.sh", "check"],
    ]);
    assert.doesNotMatch(JSON.stringify(spec.initContainers), /RCLONE|"keys"/);
  });
});

describe("the restore Job", () => {
  it("with a claim mounts it for reading only, and is not tried again by itself", async () => {
    const spec = await known(restoreJob(restore({ claim, timeoutSeconds: 60 }), around));
    assertRestricted(spec.template);
    assert.deepStrictEqual([spec.backoffLimit, spec.activeDeadlineSeconds], [0, 60]);
    const { initContainers, containers } = spec.template.spec;
    assert.strictEqual(initContainers, undefined);
    assert.deepStrictEqual(containers[0].command, ["sh", "/etc/postgres-app/scripts/restore.sh"]);
    assert.deepStrictEqual(containers[0].volumeMounts[2], {
      name: "backups",
      mountPath: "/backups",
      subPath: "notes",
      readOnly: true,
    });
    assert.deepStrictEqual(Object.keys(variables(containers[0])), [
      "PGPASSWORD",
      "FOLDER",
      "WHERE",
      "TIMEOUT_SECONDS",
      "VERSION_ARGUMENT",
    ]);
  });

  it("with a bucket looks at the database before it downloads anything", async () => {
    const job = restoreJob(restore({ s3, backup: "notes-20260131T023000Z" }), { ...around, annotations: { data: "1" } });
    const { template } = await known(job);
    assertRestricted(template);
    assert.deepStrictEqual([template.metadata.labels, template.metadata.annotations.data], [around.labels, "1"]);
    const { initContainers, containers } = template.spec;
    const steps = [...initContainers, ...containers].map(({ name, image, command }: any) => [name, image, ...command.slice(1)]);
    assert.deepStrictEqual(steps, [
      ["check", "postgres:17", "/etc/postgres-app/scripts/restore.sh", "check"],
      ["fetch", "docker.io/rclone/rclone:1", "/etc/postgres-app/scripts/fetch.sh"],
      ["restore", "postgres:17", "/etc/postgres-app/scripts/restore.sh"],
    ]);
    for (const container of [...initContainers, ...containers])
      assert.strictEqual(variables(container).BACKUP, "notes-20260131T023000Z");
    assert.doesNotMatch(JSON.stringify(initContainers[1]), /PGPASSWORD|database-ca/);
  });
});

describe("the scripts of backups and restores", () => {
  it("have every file that they use in their ConfigMap", () => {
    for (const files of [backupFiles(), restoreFiles()] as Record<string, string>[]) {
      for (const [name, content] of Object.entries(files)) {
        for (const [, used] of content.matchAll(/(?:\$here|dirname "\$0"\))\/([\w.-]+)/g))
          assert.ok(files[used], `${name}: ${used}`);
      }
    }
  });
});
