import * as pulumi from "@pulumi/pulumi";

/**
 * Tells something of a resource, once it is registered. The SDK sends messages one after the other, and with one whose resource has no URN
 * yet it waits, and so do all that follow: those of hooks, which that resource may itself be waiting for.
 */
export const tell = (level: "info" | "warn", words: string, resource: pulumi.Resource): void =>
  void resource.urn.apply(() => pulumi.log[level](words, resource));

const LONGEST = 5000;

/** In hooks: waits until a message is sent, but not for good, as a message of the program's own may be in front of it. */
export async function sent(message: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  await Promise.race([message, new Promise<void>((resolve) => (timer = setTimeout(resolve, LONGEST)))]);
  clearTimeout(timer);
}
