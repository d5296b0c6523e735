import * as pulumi from "@pulumi/pulumi";
import { types } from "@pulumi/kubernetes";
import { kubernetesName, path } from "../common/rules";
import { Validation } from "../common/validation";

/**
 * An existing ConfigMap or Secret, in the application's namespace, as read-only files of the migration's container. Name one of the two. It
 * is used by its name only: new content does not run the migration again, a new name does.
 */
export interface MigrationFileArgs {
  /**
   * Directory in which each entry is a file, or with `subPath` the file itself: "/etc/shop". A change runs the migration again.
   */
  mountPath: string;
  /**
   * Name of an existing ConfigMap. A change runs the migration again.
   */
  configMap?: pulumi.Input<string>;
  /**
   * Name of an existing Secret. A change runs the migration again.
   */
  secret?: pulumi.Input<string>;
  /**
   * The entry that is mounted alone, as a file at `mountPath`. Defaults to all of them. A change runs the migration again.
   */
  subPath?: pulumi.Input<string>;
}

export interface ResolvedFiles {
  volumes: types.input.core.v1.Volume[];
  volumeMounts: types.input.core.v1.VolumeMount[];
}

export function resolveFiles(files: MigrationFileArgs[] | undefined, at: string, validation: Validation): ResolvedFiles {
  const taken = new Map<string, string>();
  const resolved = validation.list(at, files, ({ mountPath, configMap, secret, subPath }, here): ResolvedFiles => {
    validation.required(`${here}.mountPath`, mountPath, path, 'write where the files are to be, such as "/etc/shop"');
    const other = taken.get(mountPath);
    if (other) validation.problem(`${here}.mountPath`, `${JSON.stringify(mountPath)} is that of ${other} too: give each its own`);
    taken.set(mountPath, here);
    if ((configMap === undefined) === (secret === undefined))
      validation.problem(here, "has to name exactly one object: write { mountPath, configMap } or { mountPath, secret }");
    validation.check(`${here}.configMap`, configMap, kubernetesName);
    validation.check(`${here}.secret`, secret, kubernetesName);
    // Not "volume-…", which the application's are called in a pod that migrates itself.
    const name = `migration-files-${taken.size}`;
    return {
      volumes: [{ name, ...(secret === undefined ? { configMap: { name: configMap } } : { secret: { secretName: secret } }) }],
      volumeMounts: [{ name, mountPath, readOnly: true, ...(subPath === undefined ? {} : { subPath }) }],
    };
  });
  return {
    volumes: (resolved ?? []).flatMap(({ volumes }) => volumes),
    volumeMounts: (resolved ?? []).flatMap(({ volumeMounts }) => volumeMounts),
  };
}
