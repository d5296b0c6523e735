import * as pulumi from "@pulumi/pulumi";
import { types } from "@pulumi/kubernetes";
import { anyName, quantity, wholeNumber, withoutRegistry } from "./rules";
import { Rule, Validation } from "./validation";

/**
 * What the cluster's rules ask of the pods that this package starts by itself: setup, migration, restore, backups, what tries things
 * beforehand, and the canary. Each has what its own arguments say (`migration.resources`, `database.backups.resources`) and this.
 */
export interface JobPodsArgs {
  /**
   * What each of their containers may use at most where nothing else says so, by resource, as a ResourceQuota asks for:
   * `{ cpu: "1", memory: "512Mi" }`. It is never less than what the container is given as requests, and holds too for what this package
   * puts into the application's pods (`migration.strategy` "InitContainer"), which a change then rolls. Defaults to no limits. A change
   * runs setup and migration again.
   */
  limits?: pulumi.Input<Record<string, pulumi.Input<string>>>;
  /**
   * User id, and group of its files, of every container in them but the application's own, for clusters that allow a range alone: on
   * OpenShift the first number of the namespace's annotation openshift.io/sa.scc.uid-range. Defaults to that of Postgres in the image;
   * with an embedded server to its `runAsUser`, which is the server's own and said there. A change runs setup and migration again.
   */
  runAsUser?: pulumi.Input<number>;
  /**
   * Labels of the pods: `{ "cost-center": "4711" }`. Those that this package itself sets are refused. Defaults to none. A change runs
   * setup and migration again.
   */
  labels?: Record<string, pulumi.Input<string>>;
  /**
   * Annotations of the pods: `{ "sidecar.istio.io/inject": "false" }`, without which a mesh's sidecar keeps a Job from ending. Defaults
   * to `karpenter.sh/do-not-disrupt` "true" and `cluster-autoscaler.kubernetes.io/safe-to-evict` "false", so that no autoscaler cuts a
   * migration in half; another value of these wins. A change runs setup and migration again.
   */
  annotations?: Record<string, pulumi.Input<string>>;
}

/** What of the arguments is the cluster's business and not the application's. */
export interface ClusterRulesArgs {
  jobs?: JobPodsArgs;
  imageRegistry?: pulumi.Input<string>;
}

export interface ClusterRules extends JobPodsArgs {
  /** In place of docker.io and ghcr.io. */
  imageRegistry?: pulumi.Input<string>;
}

export function resolveClusterRules(
  { jobs, imageRegistry }: ClusterRulesArgs,
  path: string,
  validation: Validation,
): ClusterRules {
  const { limits, runAsUser } = jobs ?? {};
  return {
    limits: validation.map(`${path}jobs.limits`, limits, anyName, quantity),
    runAsUser: validation.check(`${path}jobs.runAsUser`, runAsUser, wholeNumber(1)),
    labels: checkMap(`${path}jobs.labels`, jobs?.labels, labelValue, validation),
    annotations: checkMap(`${path}jobs.annotations`, jobs?.annotations, () => undefined, validation),
    imageRegistry: validation.check(`${path}imageRegistry`, imageRegistry, registry),
  };
}

/** The names decide what is no change of a Job, so the program has to know them; values may come later. */
function checkMap(
  path: string,
  map: Record<string, pulumi.Input<string>> | undefined,
  value: Rule<string>,
  validation: Validation,
): Record<string, pulumi.Input<string>> | undefined {
  if (map === undefined) return undefined;
  return Object.fromEntries(
    Object.entries(map).map(([name, given]) => {
      const wrong = qualifiedName(name);
      if (wrong) validation.problem(`${path}["${name}"]`, wrong);
      const at = `${path}["${name}"]`;
      return [name, validation.check(at, validation.open(at, given, "leave it out, or write what everybody may read"), value)];
    }),
  );
}

const OURS = /^pulumi-postgres-app\/|^app\.kubernetes\.io\/(name|instance|component|part-of|managed-by)$/;
const WORD = /^[A-Za-z0-9]([-\w.]{0,61}[A-Za-z0-9])?$/;

/** Kubernetes' rule for the names of labels and annotations. */
const qualifiedName: Rule<string> = (name) => {
  if (OURS.test(name)) return "is set by the component, which finds its pods by it: leave it out";
  const [last, prefix, ...more] = name.split("/").reverse();
  const fits =
    WORD.test(last) && more.length === 0 && (prefix === undefined || /^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$/.test(prefix));
  return fits ? undefined : "is not the name of a label or annotation: write name or domain/name, such as example.org/team";
};

const labelValue: Rule<string> = (value) =>
  value === "" || WORD.test(value)
    ? undefined
    : `${JSON.stringify(value)} is not a label's value: use at most 63 letters, digits, "-", "_" and ".", in quotes`;

const registry: Rule<string> = (given) =>
  typeof given === "string" && /^[A-Za-z0-9]([-A-Za-z0-9.]*[A-Za-z0-9])?(:\d+)?(\/[a-z0-9]([-\w./]*[a-z0-9])?)?$/.test(given)
    ? undefined
    : `${JSON.stringify(given)} is not a registry: write it without scheme and without "/" at its end, such as "registry.example.org/mirror"`;

/** An image that this package chooses, from the mirror where there is one. */
export function ownImage(image: pulumi.Input<string>, { imageRegistry }: ClusterRules): pulumi.Input<string> {
  if (imageRegistry === undefined) return image;
  const mirrored = (registry: string, own: string) => `${registry}/${withoutRegistry(own)}`;
  if (typeof imageRegistry === "string" && typeof image === "string") return mirrored(imageRegistry, image);
  return pulumi.all([imageRegistry, image]).apply(([registry, own]) => mirrored(registry, own));
}

/**
 * No autoscaler may empty a node for want of load, or for a cheaper one, while they run: a migration cut in half may take a person, and
 * a backup of hours would never come to its end.
 */
const NOT_EVICTED = { "karpenter.sh/do-not-disrupt": "true", "cluster-autoscaler.kubernetes.io/safe-to-evict": "false" };

/** Metadata of a Job's pods; what is in `own` nothing overrules. */
export const podMetadata = (
  own: { labels: Record<string, string>; annotations?: Record<string, pulumi.Input<string>> },
  { labels, annotations }: ClusterRules,
): types.input.meta.v1.ObjectMeta => ({
  labels: { ...labels, ...own.labels },
  annotations: { ...NOT_EVICTED, ...annotations, ...own.annotations },
});

const TEMPLATE = "spec.template.metadata";

/**
 * `ignoreChanges` of what runs again whenever its pod is another one: that such a Job is there without these annotations is no reason to
 * migrate. It stays without them, also when it is replaced, until somebody asks for them.
 */
export const unasked = ({ annotations = {} }: ClusterRules, at = TEMPLATE): string[] =>
  Object.keys(NOT_EVICTED)
    .filter((name) => !(name in annotations))
    .map((name) => `${at}.annotations["${name}"]`);

/** The same of one that has no others: of an entry that is ignored an empty map would be left. */
export const unaskedAtAll = ({ annotations }: ClusterRules): string[] => (annotations ? [] : [`${TEMPLATE}.annotations`]);

/** What makes pods what they are: without what such a Job may be there without. */
export const identityOf = (
  template: pulumi.Input<types.input.core.v1.PodTemplateSpec>,
): pulumi.Output<types.input.core.v1.PodTemplateSpec> =>
  (pulumi.output(template) as pulumi.Output<types.input.core.v1.PodTemplateSpec>).apply(({ metadata = {}, ...rest }) => {
    const { annotations = {}, ...others } = metadata as { annotations?: Record<string, string> };
    const asked = Object.entries(annotations).filter(([name]) => !(name in NOT_EVICTED));
    return { ...rest, metadata: { ...others, annotations: Object.fromEntries(asked) } };
  });
