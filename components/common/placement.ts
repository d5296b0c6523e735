import * as pulumi from "@pulumi/pulumi";
import { types } from "@pulumi/kubernetes";
import { anyName, kubernetesName, oneOf, text, wholeNumber } from "./rules";
import { Rule, Validation } from "./validation";

/** A taint of nodes that pods put up with. */
export interface AppTolerationArgs {
  /**
   * Key of the taint. Defaults to every taint, which takes the operator Exists.
   */
  key?: pulumi.Input<string>;
  /**
   * Equal (key and value are the taint's) or Exists (any value). Defaults to Equal with a `value`, else to Exists.
   */
  operator?: pulumi.Input<string>;
  /**
   * Value of the taint. Defaults to none.
   */
  value?: pulumi.Input<string>;
  /**
   * What the taint does: NoSchedule, PreferNoSchedule or NoExecute. Defaults to all of them.
   */
  effect?: pulumi.Input<string>;
  /**
   * Seconds that a pod may stay on a node which gets the taint; only with NoExecute. Defaults to staying.
   */
  tolerationSeconds?: pulumi.Input<number>;
}

/** Where pods run, and what their images are pulled with. */
export interface Placement {
  imagePullSecrets?: pulumi.Input<pulumi.Input<string>[]>;
  nodeSelector?: pulumi.Input<Record<string, pulumi.Input<string>>>;
  tolerations?: AppTolerationArgs[];
  priorityClassName?: pulumi.Input<string>;
}

/** What of a pod's spec says so. Nothing that is not given appears in it: that would replace pods and Jobs. */
export function podPlacement({ imagePullSecrets, nodeSelector, tolerations, priorityClassName }: Placement) {
  return {
    ...(imagePullSecrets === undefined ? {} : { imagePullSecrets: secretReferences(imagePullSecrets) }),
    ...(nodeSelector === undefined ? {} : { nodeSelector }),
    ...(tolerations?.length ? { tolerations: tolerations.map(toleration) } : {}),
    ...(priorityClassName === undefined ? {} : { priorityClassName }),
  };
}

export const secretReferences = (names: pulumi.Input<pulumi.Input<string>[]>) =>
  pulumi.output(names).apply((known) => known.map((name) => ({ name })));

const toleration = ({ operator, ...rest }: AppTolerationArgs): types.input.core.v1.Toleration => ({
  ...rest,
  operator: operator ?? (rest.value === undefined ? "Exists" : "Equal"),
});

export function resolvePlacement(given: Placement, path: string, validation: Validation): Placement {
  return {
    imagePullSecrets: checkPullSecrets(given.imagePullSecrets, path, validation),
    nodeSelector: validation.map(`${path}nodeSelector`, given.nodeSelector, anyName, text),
    tolerations: validation.list(`${path}tolerations`, given.tolerations, (one, at) => checkToleration(one, at, validation)),
    priorityClassName: validation.check(`${path}priorityClassName`, given.priorityClassName, kubernetesName),
  };
}

export const checkPullSecrets = (names: Placement["imagePullSecrets"], path: string, validation: Validation) =>
  validation.check(`${path}imagePullSecrets`, names, secretNames);

const secretNames: Rule<unknown> = (names) => {
  if (!Array.isArray(names)) return `${JSON.stringify(names)} is not a list: write the names of Secrets, such as ["registry"]`;
  const wrong = names.map((name) => (typeof name === "string" ? kubernetesName(name) : undefined)).filter(Boolean);
  return wrong.length ? wrong.join("; ") : undefined;
};

/** The API server's rules, which it would tell only when everything before is there. */
function checkToleration(given: AppTolerationArgs, path: string, validation: Validation): AppTolerationArgs {
  const { key, operator, value, effect, tolerationSeconds } = given;
  if (operator === "Exists" && value !== undefined)
    validation.problem(`${path}.value`, "does not go with the operator Exists: leave one of the two out");
  if (key === undefined && (operator === "Equal" || value !== undefined))
    validation.missing(`${path}.key`, "name the taint's key, or leave operator and value out to tolerate every taint");
  if (tolerationSeconds !== undefined && typeof effect !== "object" && effect !== "NoExecute")
    validation.problem(`${path}.tolerationSeconds`, 'needs effect "NoExecute", the only one that pods leave a node for');
  return {
    key: validation.check(`${path}.key`, key, text),
    operator: validation.check(`${path}.operator`, operator, oneOf(["Equal", "Exists"])),
    value: validation.check(`${path}.value`, value, text),
    effect: validation.check(`${path}.effect`, effect, oneOf(["NoSchedule", "PreferNoSchedule", "NoExecute"])),
    tolerationSeconds: validation.check(`${path}.tolerationSeconds`, tolerationSeconds, wholeNumber(0)),
  };
}
