import * as pulumi from "@pulumi/pulumi";
import * as apps from "@pulumi/kubernetes/apps/v1";
import * as batch from "@pulumi/kubernetes/batch/v1";
import * as core from "@pulumi/kubernetes/core/v1";
import { namespaceOf } from "../common/answers";
import { holdsData, jobOptions, notAwaited, overrules, rerunUnlessComplete } from "../common/childOptions";
import { selectorLabels } from "../common/labels";
import { bytes } from "../common/rules";
import { Validation } from "../common/validation";
import { generatedPassword, Logins } from "./credentials";
import { OnDelete } from "./databaseArgs";
import {
  ADMIN_USER,
  CLAIM_TEMPLATE,
  embeddedStatefulSet,
  NEVER_REPLACE,
  POSTGRES_PORT,
  ResolvedEmbedded,
  startFiles,
  startSettings,
  TRIAL_SECONDS,
  trialJob,
} from "./embedded";
import { clientOf, Engine, EngineContext } from "./engine";
import { boundedServer, explainTrial } from "./explainServer";
import { rememberFirst, rememberSubPath } from "./remembered";
import { serverCertificate } from "./serverCertificate";
import { dataAnnotation } from "./setup";

/** Postgres in the cluster: administrator, certificate, Service, StatefulSet, volume. */
export function embeddedServer(
  name: string,
  given: ResolvedEmbedded,
  { namespace, imagePullSecrets, rules, labels, selector, child }: EngineContext,
  around: {
    logins: Logins;
    adminRotation: pulumi.Input<number>;
    onDelete: OnDelete;
    validation: Validation;
  },
): Engine {
  const metadata = { namespace, labels };
  const now = startSettings(given);
  const first = rememberFirst(name, { uid: given.runAsUser, settings: now }, child());
  const database = given.runAsUserGiven ? given : { ...given, runAsUser: first.uid };
  const { existingClaim, subPath } = database;

  const admin = new core.Secret(
    `${name}-admin`,
    {
      metadata,
      stringData: {
        username: ADMIN_USER,
        password: generatedPassword(`${name}-admin-password`, around.adminRotation, child()),
      },
    },
    child(),
  );
  const files = new core.ConfigMap(`${name}-start`, { metadata, data: startFiles(database) }, child());
  const service = new core.Service(
    name,
    {
      metadata: { ...metadata, name },
      spec: { clusterIP: "None", selector, ports: [{ name: "postgres", port: POSTGRES_PORT, targetPort: "postgres" }] },
    },
    // A new name of the component changes neither the address nor the pods behind it.
    child({ ignoreChanges: ["metadata.name", "spec.selector"] }),
  );
  const host = pulumi.interpolate`${service.metadata.name}.${namespaceOf(service)}.svc`;

  const certificate =
    database.tls === "off"
      ? undefined
      : serverCertificate(
          name,
          [
            service.metadata.name,
            pulumi.interpolate`${service.metadata.name}.${namespace}`,
            host,
            pulumi.interpolate`${host}.cluster.local`,
            "localhost",
          ],
          child(),
        );
  const certificateSecret =
    certificate &&
    new core.Secret(
      `${name}-server-certificate`,
      { metadata, type: "kubernetes.io/tls", stringData: { "tls.crt": certificate.certificate, "tls.key": certificate.key } },
      child(),
    );
  const ca = certificate && new core.Secret(`${name}-ca`, { metadata, stringData: { "ca.crt": certificate.ca } }, child());

  const pod = {
    files: files.metadata.name,
    certificateSecret: certificateSecret?.metadata.name,
    imagePullSecrets,
  };
  const needed = [files, ...(certificateSecret ? [certificateSecret] : [])];
  const trialLabels = { ...labels, ...selectorLabels(name, "database-trial") };
  const changed = pulumi.all([first.settings, now]).apply(([then, today]) => then !== today);
  const trial = new batch.Job(
    `${name}-trial`,
    {
      metadata: { namespace, labels: trialLabels, annotations: rerunUnlessComplete },
      spec: trialJob(database, { ...pod, labels: trialLabels, needed: changed, rules }),
    },
    child({ dependsOn: needed, ...jobOptions(TRIAL_SECONDS), hooks: explainTrial(`${name}-trial-failure`) }),
  );
  const server = new apps.StatefulSet(
    name,
    {
      metadata: { ...metadata, name },
      spec: embeddedStatefulSet(database, {
        ...pod,
        adminSecret: admin.metadata.name,
        name,
        selector,
        labels,
        // A claim that is named stays, also the server's own, whose template the StatefulSet keeps.
        whenDeleted: around.onDelete === "delete" && existingClaim === undefined ? "Delete" : "Retain",
      }),
    },
    child({
      dependsOn: [service, admin, ...needed, trial],
      ignoreChanges: NEVER_REPLACE,
      ...holdsData,
      ...boundedServer(name),
    }),
  );
  const adopted =
    existingClaim !== undefined
      ? rememberSubPath(name, { existingClaim, subPath }, around.validation, child({ dependsOn: server }))
      : pulumi.output(undefined);
  const { claimName, uid, grown } = volume(name, database, server, { metadata, child, ...around });

  return {
    server: { host, port: pulumi.output(POSTGRES_PORT) },
    direct: { host, port: pulumi.output(POSTGRES_PORT) },
    pooled: false,
    sslmode: certificate ? "verify-full" : "disable",
    caSecretName: ca?.metadata.name,
    client: clientOf(database.image, database.runAsUser, rules),
    admin: {
      user: ADMIN_USER,
      secretName: admin.metadata.name,
      passwordKey: "password",
      databaseName: "postgres",
      ownsServer: true,
    },
    logins: around.logins,
    ready: [server, ...(ca ? [ca] : []), ...(grown ? [grown] : [])],
    onDelete: server.spec.persistentVolumeClaimRetentionPolicy.apply((policy) =>
      policy?.whenDeleted === "Delete" ? "delete" : "retain",
    ),
    ...(around.onDelete === "delete"
      ? { owner: { apiVersion: "apps/v1", kind: "StatefulSet", name: server.metadata.name, uid: server.metadata.uid } }
      : {}),
    dataId: pulumi.all([uid, adopted]).apply(([known]) => known),
    seen: {
      pods: server.spec.selector.matchLabels,
      statefulSet: server.metadata.name,
      claims: claimName.apply((known) => known.replace(/\./g, "[.]")),
    },
  };
}

/** The claim that the server really has, and its growth to the size that is asked for. */
function volume(
  name: string,
  { existingClaim, storage }: ResolvedEmbedded,
  server: apps.StatefulSet,
  {
    metadata,
    child,
    validation,
  }: {
    metadata: { namespace: pulumi.Output<string>; labels: Record<string, string> };
    child: EngineContext["child"];
    validation: Validation;
  },
): { claimName: pulumi.Output<string>; uid: pulumi.Output<string>; grown?: pulumi.Resource } {
  // From the server's id, because that is not known before there is a server: a claim that is not there cannot be read.
  const claimName = server.id.apply((id) => existingClaim ?? `${CLAIM_TEMPLATE}-${id.split("/").pop()}-0`);
  const claim = core.PersistentVolumeClaim.get(
    `${name}-claim`,
    pulumi.interpolate`${server.metadata.namespace}/${claimName}`,
    // Others write into it all the time, and every preview would show all that they wrote. What is secret is not shown.
    child({ additionalSecretOutputs: ["metadata", "spec", "status"] }),
  );
  const uid = pulumi.unsecret(claim.metadata).apply((metadata) => metadata?.uid);
  if (existingClaim !== undefined) return { claimName, uid };
  // Compared with what was asked for last time: a volume may be larger than that from the beginning.
  const wanted = pulumi.all([storage, pulumi.unsecret(claim.spec)]).apply(([size, spec]) => {
    const has = spec?.resources?.requests?.storage;
    if (has === undefined || bytes(size) >= bytes(has)) return size;
    throw validation.late(
      "embedded.storage",
      `is ${JSON.stringify(size)}, and the volume's claim has ${has}: volumes cannot shrink. Write at least that; to move to a smaller one, back up, begin anew and restore`,
    );
  });
  const grown = new core.PersistentVolumeClaimPatch(
    `${name}-storage`,
    {
      metadata: {
        namespace: metadata.namespace,
        // From the server's name, which a preview knows: a patch of an unknown name is refused there.
        name: server.metadata.name.apply((of) => `${CLAIM_TEMPLATE}-${of}-0`),
        annotations: {
          ...overrules,
          // A claim that is made anew begins as small as the first one did: another of them is reason enough to say it again.
          ...dataAnnotation(uid),
          // For a new resource Pulumi would wait until the claim is pending, which a claim in use never is. The volume grows by itself.
          ...notAwaited,
        },
      },
      spec: { resources: { requests: { storage: wanted } } },
    },
    // Taken back at the end, the size would be none, which Kubernetes refuses as shrinking.
    child({ dependsOn: server, retainOnDelete: true }),
  );
  return { claimName, uid, grown };
}
