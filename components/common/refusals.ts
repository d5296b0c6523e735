import * as pulumi from "@pulumi/pulumi";

/**
 * The first refusal, by a component or one inside it, of a value that was known only after the program had run.
 *
 * Pulumi's SDK never settles the URN of a resource whose inputs have failed, so that what depends on it waits for good. The CLI ends the
 * program all the same; one that runs in the process of the Automation API would never end (seen with 3.246 and 3.276).
 */
export class Refusals {
  private refuse!: (refusal: Error) => void;
  private readonly first = new Promise<never>((_, reject) => (this.refuse = reject));
  private static readonly ofComponent = new WeakMap<pulumi.Resource, Refusals>();

  private constructor() {
    this.first.catch(() => undefined); // it is said where the value is used
  }

  /** Those of the component's parent, if that is one of ours. */
  static of(component: pulumi.Resource, parent?: pulumi.Resource): Refusals {
    const known = Refusals.ofComponent.get(component) ?? (parent && Refusals.ofComponent.get(parent)) ?? new Refusals();
    Refusals.ofComponent.set(component, known);
    return known;
  }

  readonly take = (refusal: Error): void => this.refuse(refusal);

  /** Resources once they are registered, or the refusal that keeps one of them from being so. */
  registered(resources: pulumi.Resource[]): pulumi.Output<pulumi.Resource[]> {
    const all = Promise.all(resources.map(({ urn }) => new Promise((known) => urn.apply(known))));
    return pulumi.output(Promise.race([all, this.first])).apply(() => resources);
  }
}
