import * as pulumi from "@pulumi/pulumi";
import { types } from "@pulumi/kubernetes";
import { kubernetesName, label, oneOf, path, volumeSize } from "../common/rules";
import { isDeferred, Rule, Validation } from "../common/validation";

/** Who may mount a volume for writing at the same time. */
export const VolumeAccessMode = {
  /** The pods of one node: what every storage has. */
  ReadWriteOnce: "ReadWriteOnce",
  /** One pod. */
  ReadWriteOncePod: "ReadWriteOncePod",
  /** Any pod: what storage over the network has, such as NFS, EFS, Azure Files, CephFS. */
  ReadWriteMany: "ReadWriteMany",
} as const;
export type VolumeAccessMode = (typeof VolumeAccessMode)[keyof typeof VolumeAccessMode];

/**
 * Something that is mounted into the application's pods: a volume of their own for uploads (`storage`), a claim, ConfigMap or Secret
 * that is there already. Name one of the four. The migration does not see it. A change rolls the pods.
 */
export interface AppVolumeArgs {
  /**
   * Where it is in the application's container: `/app/uploads`.
   */
  mountPath: string;
  /**
   * What it is called. With `storage` the claim is `<component>-<name>`: another name is another volume, and an empty one. Defaults to the last part
   * of `mountPath`: give it when that changes.
   */
  name?: string;
  /**
   * Size of a volume that is made for the application and shared by its pods: "5Gi". It is kept by `pulumi destroy`, and the next
   * component of the same name finds it again, unless `database.onDelete` is "delete". No edit replaces or deletes it; one that is
   * taken out of the arguments stays too. It can grow, in place, where its storage class allows that, and never shrink.
   */
  storage?: pulumi.Input<string>;
  /**
   * Name of a claim that is there already. It is never changed or deleted.
   */
  existingClaim?: pulumi.Input<string>;
  /**
   * Name of an existing ConfigMap: a file for each of its entries, read-only. With `subPath` one of them.
   */
  configMap?: pulumi.Input<string>;
  /**
   * Name of an existing Secret: a file for each of its entries, read-only. With `subPath` one of them.
   */
  secret?: pulumi.Input<string>;
  /**
   * Storage class of the volume that `storage` makes. Defaults to the cluster's. Kubernetes refuses a change.
   */
  storageClassName?: pulumi.Input<string>;
  /**
   * Who may mount the claim at the same time; of an existing one, what it is. With "ReadWriteOnce" and "ReadWriteOncePod" more than one
   * replica, `autoscaling`, `workers` and kind "Deployment" are refused: pods on different nodes, and a Deployment's old and new one,
   * would wait for each other. Such a claim is not mounted by the canary, which has an empty directory in its place. Defaults to
   * "ReadWriteOnce". Kubernetes refuses a change.
   */
  accessMode?: VolumeAccessMode;
  /**
   * Directory or file in the volume that is mounted in place of all of it; for a ConfigMap or Secret the name of an entry, whose
   * changes a running pod then never sees. Defaults to all of it.
   */
  subPath?: pulumi.Input<string>;
  /**
   * Whether the application cannot write to it. ConfigMaps and Secrets are always read-only. Defaults to false.
   */
  readOnly?: pulumi.Input<boolean>;
}

export interface ResolvedVolume {
  name: string;
  mountPath: string;
  claim?: {
    /** Of one that is made here. */
    storage?: pulumi.Input<string>;
    existing?: pulumi.Input<string>;
    storageClassName?: pulumi.Input<string>;
    accessMode: pulumi.Input<string>;
    /** Whether pods anywhere may mount it together. */
    shared: boolean;
  };
  configMap?: pulumi.Input<string>;
  secret?: pulumi.Input<string>;
  subPath?: pulumi.Input<string>;
  readOnly?: pulumi.Input<boolean>;
}

/** What of the arguments says how many pods there may be at a time. */
interface Pods {
  replicas?: pulumi.Input<number>;
  autoscaling?: unknown;
  workers?: object;
  kind?: string;
  writablePaths?: string[];
}

const SOURCES = ["storage", "existingClaim", "configMap", "secret"] as const;

export function resolveVolumes(
  volumes: AppVolumeArgs[] | undefined,
  pods: Pods,
  at: string,
  validation: Validation,
): ResolvedVolume[] {
  const seen = { name: new Map<string, string>(), mountPath: new Map<string, string>() };
  pods.writablePaths?.forEach((directory, index) => seen.mountPath.set(directory, `writablePaths[${index}]`));
  const resolved = validation.list(at, volumes, (given, here): ResolvedVolume => {
    validation.required(`${here}.mountPath`, given.mountPath, path, 'write where it is mounted, such as "/app/uploads"');
    const name = given.name ?? nameOf(given.mountPath ?? "");
    validation.check(`${here}.name`, name, label(40));
    for (const [what, value] of Object.entries({ name, mountPath: given.mountPath })) {
      const map = seen[what as "name" | "mountPath"];
      const other = map.get(value);
      if (other) validation.problem(`${here}.${what}`, `${JSON.stringify(value)} is that of ${other} too: give each its own`);
      else map.set(value, here);
    }
    const sources = SOURCES.filter((source) => given[source] !== undefined);
    if (sources.length !== 1)
      validation.problem(
        here,
        sources.length === 0
          ? 'names nothing to mount: write storage: "5Gi" for a volume of its own, or existingClaim, configMap or secret'
          : `names ${sources.join(" and ")}: keep one of them, and write an entry for each`,
      );
    for (const claimOnly of ["storageClassName", "accessMode"] as const)
      if (given[claimOnly] !== undefined && sources.some((source) => source === "configMap" || source === "secret"))
        validation.problem(`${here}.${claimOnly}`, "belongs to a claim: leave it out");
    if (given.storageClassName !== undefined && given.existingClaim !== undefined)
      validation.problem(`${here}.storageClassName`, "is the existing claim's own: leave it out");
    return {
      name,
      mountPath: given.mountPath,
      ...(given.storage !== undefined || given.existingClaim !== undefined
        ? { claim: resolveClaim(given, pods, here, validation) }
        : {}),
      configMap: validation.check(`${here}.configMap`, given.configMap, kubernetesName),
      secret: validation.check(`${here}.secret`, given.secret, kubernetesName),
      subPath: validation.check(`${here}.subPath`, given.subPath, inside),
      readOnly: given.readOnly,
    };
  });
  return resolved ?? [];
}

/** "/app/public/uploads" is "uploads". */
const nameOf = (mountPath: string) =>
  (mountPath.split("/").filter(Boolean).pop() ?? "")
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^-+|-+$/g, "");

const inside: Rule<string> = (where) =>
  typeof where === "string" && where !== "" && !where.startsWith("/") && !where.split("/").includes("..")
    ? undefined
    : `${JSON.stringify(where)} is not a path inside the volume: begin it without /, and leave out ".."`;

function resolveClaim(given: AppVolumeArgs, pods: Pods, at: string, validation: Validation): ResolvedVolume["claim"] {
  const modes = Object.values(VolumeAccessMode);
  const mode = validation.check(`${at}.accessMode`, given.accessMode, oneOf(modes)) ?? VolumeAccessMode.ReadWriteOnce;
  const shared = mode === VolumeAccessMode.ReadWriteMany;
  return {
    storage: validation.check(`${at}.storage`, given.storage, volumeSize),
    existing: validation.check(`${at}.existingClaim`, given.existingClaim, kubernetesName),
    storageClassName: validation.check(`${at}.storageClassName`, given.storageClassName, kubernetesName),
    accessMode: shared ? mode : forOnePod(mode, pods, at, validation),
    shared,
  };
}

/** Pods on several nodes cannot mount it: the second one would wait for good, and with it the rollout. */
function forOnePod(
  mode: string,
  { replicas, autoscaling, workers, kind }: Pods,
  at: string,
  validation: Validation,
): pulumi.Input<string> {
  const wayOut = `accessMode "ReadWriteMany" with a storage class that has it, or keep the files in an object store`;
  const several = (what: string, or = "") => `${JSON.stringify(mode)} is for one pod at a time, and ${what}: use ${or}${wayOut}`;
  if (autoscaling !== undefined) validation.problem(`${at}.accessMode`, several("autoscaling makes more of them"));
  if (workers !== undefined && Object.keys(workers).length > 0)
    validation.problem(`${at}.accessMode`, several("workers are pods of their own"));
  if (kind === "Deployment")
    validation.problem(
      `${at}.accessMode`,
      several('kind "Deployment" starts the new pod before the old one ends', 'kind "StatefulSet", or '),
    );
  const counted = validation.check(`${at}.accessMode`, replicas, (count) =>
    count > 1 ? several(`replicas is ${count}`) : undefined,
  );
  return isDeferred(counted) ? pulumi.output(counted).apply(() => mode) : mode;
}

const volumeName = (name: string) => `volume-${name}`;

export const volumeMounts = (volumes: ResolvedVolume[]): types.input.core.v1.VolumeMount[] =>
  volumes.map(({ name, mountPath, subPath, readOnly, configMap, secret }) => ({
    name: volumeName(name),
    mountPath,
    ...(subPath === undefined ? {} : { subPath }),
    ...(configMap !== undefined || secret !== undefined ? { readOnly: true } : readOnly === undefined ? {} : { readOnly }),
  }));

/**
 * The pod's volumes. `claims` are the names of those that are made here, by volume. `beside` says that the pod runs beside the
 * application's: then it has empty directories in place of what only one pod can mount.
 */
export const volumeSpecs = (
  volumes: ResolvedVolume[],
  claims: Record<string, pulumi.Input<string>>,
  beside = false,
): types.input.core.v1.Volume[] =>
  volumes.map(({ name, claim, configMap, secret }) => {
    if (claim && beside && !claim.shared) return { name: volumeName(name), emptyDir: {} };
    if (claim) return { name: volumeName(name), persistentVolumeClaim: { claimName: claim.existing ?? claims[name] } };
    return {
      name: volumeName(name),
      ...(configMap === undefined ? { secret: { secretName: secret } } : { configMap: { name: configMap } }),
    };
  });
