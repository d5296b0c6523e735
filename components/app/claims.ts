import * as pulumi from "@pulumi/pulumi";
import * as core from "@pulumi/kubernetes/core/v1";
import { Child, holdsData, notAwaited, overrules } from "../common/childOptions";
import { inNamespace, Named, onFailure } from "../common/hooks";
import { DataOwner } from "../database/engine";
import { ResolvedVolume } from "./volumes";

/**
 * The claims of the application's own volumes, by volume. Each is a patch: applied by the server, it makes the claim where none is and
 * takes the one that a former install left, and what it has kept on delete stays for the next one. A PersistentVolumeClaim could do
 * neither: to make one that is there already is an error, and an edit of its class would replace it. With `onDelete` "delete" the claims
 * belong to the database's own object, and Kubernetes deletes them with it.
 */
export function appClaims(
  name: string,
  volumes: ResolvedVolume[],
  around: { namespace?: pulumi.Input<string>; labels: Record<string, string>; owner?: DataOwner },
  child: Child,
): { claims: Record<string, pulumi.Input<string>>; resources: pulumi.Resource[] } {
  const { namespace, labels, owner } = around;
  const made = volumes.flatMap(({ name: volume, claim }) => {
    if (claim?.storage === undefined) return [];
    const patch = new core.PersistentVolumeClaimPatch(
      `${name}-${volume}`,
      {
        metadata: {
          namespace,
          name: `${name}-${volume}`,
          labels,
          annotations: {
            ...overrules,
            // It is bound when a pod uses it, which comes after it.
            ...notAwaited,
          },
          ...(owner ? { ownerReferences: [{ ...owner, blockOwnerDeletion: true }] } : {}),
        },
        spec: {
          accessModes: [claim.accessMode],
          storageClassName: claim.storageClassName,
          resources: { requests: { storage: claim.storage } },
        },
      },
      child({
        ...holdsData,
        retainOnDelete: true,
        ignoreChanges: ["metadata.name"], // with a new name of the component the files stay where they are
        hooks: explainRefusal(`${name}-${volume}-claim-failure`),
      }),
    );
    return [[volume, patch] as const];
  });
  return {
    claims: Object.fromEntries(made.map(([volume, patch]) => [volume, patch.metadata.name])),
    resources: made.map(([, patch]) => patch),
  };
}

/** What Kubernetes refuses of a claim that is there already. Exported for its tests. */
export const REFUSED =
  /spec is immutable|field can not be less than|can be dynamically provisioned|only dynamically provisioned pvc can be resized|Forbidden/;

/** The same in words, with the way out. */
const explainRefusal = (hook: string) =>
  onFailure(hook, ({ errors, newInputs }) => {
    if (!errors.some((error) => REFUSED.test(error))) return undefined;
    const { name, namespace } = (newInputs as Named | undefined)?.metadata ?? {};
    return (
      `the claim ${name} is there already, and its files were left as they are: Kubernetes lets a claim grow where its storage class allows that, and refuses anything else. ` +
      `Write the storageClassName, accessMode and at least the storage that it has (kubectl get persistentvolumeclaim ${name}${inNamespace(namespace)}), or give the volume another \`name\` and copy the files`
    );
  });
