import * as pulumi from "@pulumi/pulumi";
import { types } from "@pulumi/kubernetes";
import { path } from "./rules";
import { Validation } from "./validation";

/** What the "restricted" Pod Security Standard asks of a pod. Without a uid the image's own user is taken, which must not be root. */
export function restrictedPod(uid?: pulumi.Input<number>): types.input.core.v1.PodSecurityContext {
  return {
    runAsNonRoot: true,
    ...(uid === undefined ? {} : { runAsUser: uid, runAsGroup: uid, fsGroup: uid, fsGroupChangePolicy: "OnRootMismatch" }),
    seccompProfile: { type: "RuntimeDefault" },
  };
}

/**
 * The group of a pod's files where no user of its containers is known. Every process of the pod has it besides its own, whoever it is;
 * without one, files belong to root alone.
 */
export const filesGroup = (uid: pulumi.Input<number> | undefined): types.input.core.v1.PodSecurityContext =>
  uid === undefined ? { fsGroup: 65532, fsGroupChangePolicy: "OnRootMismatch" } : {};

/** What the "restricted" Pod Security Standard asks of a container, and a root file system that nobody can write. */
export function restrictedContainer(): types.input.core.v1.SecurityContext {
  return { allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: { drop: ["ALL"] } };
}

/** The paths that a program writes to. */
export const checkWritablePaths = (given: string[] | undefined, at: string, validation: Validation): string[] =>
  validation.list(`${at}writablePaths`, given ?? ["/tmp"], (directory, entry) => validation.check(entry, directory, path)) ?? [];

/** Empty directories for these paths, since the root file system is read-only. */
export function writable(paths: string[], prefix = "writable") {
  const name = (index: number) => `${prefix}-${index}`;
  return {
    volumes: paths.map((_, index): types.input.core.v1.Volume => ({ name: name(index), emptyDir: {} })),
    volumeMounts: paths.map((path, index): types.input.core.v1.VolumeMount => ({ name: name(index), mountPath: path })),
  };
}
