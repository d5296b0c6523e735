import * as pulumi from "@pulumi/pulumi";
import { onCreation } from "../common/hooks";
import { CLAIM_TEMPLATE } from "./embedded";
import { ServerSeen } from "./engine";
import { ResolvedDatabase } from "./resolveDatabase";

/** What stays of the data when the component goes, as kubectl names it; nothing where it goes too or is not the component's. */
export function keptData(
  { onDelete, embedded, cloudNativePg }: ResolvedDatabase,
  { statefulSet, cluster }: ServerSeen,
  namespace: pulumi.Output<string>,
): pulumi.Output<string> {
  if (embedded?.existingClaim !== undefined) return onClaim(embedded.existingClaim, namespace);
  if (onDelete === "delete") return pulumi.output("");
  if (embedded) return onClaim(pulumi.interpolate`${CLAIM_TEMPLATE}-${statefulSet}-0`, namespace);
  return cloudNativePg
    ? pulumi.interpolate`the volumes of clusters.postgresql.cnpg.io/${cluster} in namespace ${namespace}`
    : pulumi.output("");
}

const onClaim = (claim: pulumi.Input<string>, namespace: pulumi.Input<string>) =>
  pulumi.interpolate`persistentvolumeclaim/${claim} in namespace ${namespace}`;

/**
 * Says in a preview and in `up` that a database begins, which is the only time to say what becomes of a component's data that was called
 * otherwise before: a component that is no longer in the program cannot speak. It hangs on the memory of the place, which is made once.
 */
export const tellOfNewDatabase = (name: string, { embedded, cloudNativePg }: ResolvedDatabase) =>
  onCreation(`${name}-new-database`, () => {
    if (!embedded && !cloudNativePg) return undefined;
    const where = embedded
      ? `on persistentvolumeclaim/${embedded.existingClaim ?? `${CLAIM_TEMPLATE}-${name}-0`}, with the data that is there already, else empty`
      : `in clusters.postgresql.cnpg.io/${name}`;
    return `a database begins, ${where}. If the component had another name before, the data is still on the volume of that name: the option aliases makes both one`;
  });
