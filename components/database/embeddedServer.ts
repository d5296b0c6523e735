import * as pulumi from "@pulumi/pulumi";
import * as apps from "@pulumi/kubernetes/apps/v1";
import * as core from "@pulumi/kubernetes/core/v1";
import { overrules, notAwaited } from "../common/childOptions";
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
} from "./embedded";
import { Engine, EngineContext } from "./engine";
import { serverCertificate } from "./serverCertificate";
import { dataAnnotation } from "./setup";

/** Postgres in the cluster: administrator, certificate, Service, StatefulSet, volume. */
export function embeddedServer(
  name: string,
  database: ResolvedEmbedded,
  { namespace, imagePullSecrets, labels, selector, child }: EngineContext,
  around: {
    logins: Logins;
    adminRotation: pulumi.Input<number>;
    onDelete: OnDelete;
    validation: Validation;
  },
): Engine {
  const metadata = { namespace, labels };

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
  const host = pulumi.interpolate`${service.metadata.name}.${service.metadata.namespace}.svc`;

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

  const server = new apps.StatefulSet(
    name,
    {
      metadata: { ...metadata, name },
      spec: embeddedStatefulSet(database, {
        name,
        selector,
        labels,
        files: files.metadata.name,
        adminSecret: admin.metadata.name,
        certificateSecret: certificateSecret?.metadata.name,
        imagePullSecrets,
        whenDeleted: around.onDelete === "delete" ? "Delete" : "Retain",
      }),
    },
    child({
      dependsOn: [service, files, admin, ...(certificateSecret ? [certificateSecret] : [])],
      ignoreChanges: NEVER_REPLACE,
    }),
  );
  const { claim, grown } = volume(name, database, server, { metadata, child, ...around });

  return {
    server: { host, port: pulumi.output(POSTGRES_PORT) },
    direct: { host, port: pulumi.output(POSTGRES_PORT) },
    pooled: false,
    sslmode: certificate ? "verify-full" : "disable",
    caSecretName: ca?.metadata.name,
    client: { image: database.image, uid: database.runAsUser },
    admin: {
      user: ADMIN_USER,
      secretName: admin.metadata.name,
      passwordKey: "password",
      databaseName: "postgres",
      ownsServer: true,
    },
    logins: around.logins,
    ready: [server, ...(ca ? [ca] : []), ...(grown ? [grown] : [])],
    ...(around.onDelete === "delete"
      ? { owner: { apiVersion: "apps/v1", kind: "StatefulSet", name: server.metadata.name, uid: server.metadata.uid } }
      : {}),
    dataId: claim.metadata.uid,
    seen: {
      pods: server.spec.selector.matchLabels,
      statefulSet: server.metadata.name,
      claims: claim.metadata.name.apply((claimName) => claimName.replace(/\./g, "[.]")),
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
): { claim: core.PersistentVolumeClaim; grown?: pulumi.Resource } {
  // From the server's id, because that is not known before there is a server: a claim that is not there cannot be read.
  const claimName = server.id.apply((id) => existingClaim ?? `${CLAIM_TEMPLATE}-${id.split("/").pop()}-0`);
  const claim = core.PersistentVolumeClaim.get(
    `${name}-claim`,
    pulumi.interpolate`${server.metadata.namespace}/${claimName}`,
    child(),
  );
  if (existingClaim !== undefined) return { claim };
  // Compared with what was asked for last time: a volume may be larger than that from the beginning.
  const wanted = pulumi.all([storage, claim.spec]).apply(([size, spec]) => {
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
        name: claimName,
        annotations: {
          ...overrules,
          // A claim that is made anew begins as small as the first one did: another of them is reason enough to say it again.
          ...dataAnnotation(claim.metadata.uid),
          // For a new resource Pulumi would wait until the claim is pending, which a claim in use never is. The volume grows by itself.
          ...notAwaited,
        },
      },
      spec: { resources: { requests: { storage: wanted } } },
    },
    // Taken back at the end, the size would be none, which Kubernetes refuses as shrinking.
    child({ dependsOn: server, retainOnDelete: true, protect: false }),
  );
  return { claim, grown };
}
