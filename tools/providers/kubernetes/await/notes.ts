// What the Pods of an object say while it is waited for.
import type { Properties } from "../../rpc/values";
import type { Cluster } from "../cluster";
import { items, namespaceOf } from "../objects";
import { podMessage } from "./pods";
import type { Rule } from "./rule";

/** Said by every Pod while it starts; belongs into an error, but is no news. */
const USUAL = "containers with unready status";

export class PodNotes {
  private readonly seen = new Set<string>();
  private readonly path: string | undefined;

  constructor(
    private readonly cluster: Cluster,
    private readonly rule: Rule,
    object: Properties,
    private readonly tell: (message: string) => void,
  ) {
    const selector = rule.pods?.(object);
    const query = new URLSearchParams({ labelSelector: selector ?? "" });
    this.path = selector && `api/v1/namespaces/${namespaceOf(object)}/pods?${query}`;
  }

  /** For rules that remember: takes down what Pods say that may be gone when the object has failed. */
  async follow(signal: AbortSignal): Promise<void> {
    if (!this.rule.remembersPods || !this.path) return;
    // Losing the connection loses messages, not the result.
    await this.cluster.watch(this.path, (pod) => this.note(pod), signal).catch(() => {});
  }

  /** What there is to say about the Pods as they are now, after what has been taken down. The object may be a Pod itself. */
  async look(object: Properties): Promise<string[]> {
    const pods = this.path ? items(await this.cluster.get(this.path), "items") : [object];
    const messages = pods.map((pod) => this.note(pod)).filter((message) => message !== undefined);
    return this.rule.remembersPods ? [...this.seen] : messages;
  }

  private note(pod: Properties): string | undefined {
    const message = podMessage(pod);
    if (message && !this.seen.has(message)) {
      this.seen.add(message);
      if (!message.includes(USUAL)) this.tell(message);
    }
    return message;
  }
}
