import * as pulumi from "@pulumi/pulumi";
import { withoutTag } from "../common/rules";
import { tell } from "../common/tell";

/**
 * Images that migrate when they start with their own command, by repository. Under a migration Job their start command has to be
 * overridden, or the schema would be migrated in two places at once.
 * Read from each image's start script; where versions differ, the newest is what counts here.
 */
const startUpMigrating: Record<string, string> = {
  "mitre/heimdall2": 'set command to ["yarn", "backend", "start"]',
  "mitre/vulcan": 'set command to ["bundle", "exec", "puma", "-C", "config/puma.rb"]',
};

/** What is known of an image, whatever registry, tag or digest it is named with. */
export function migratesAtStart(image: string): string | undefined {
  const repository = withoutTag(image);
  return Object.entries(startUpMigrating).find(([known]) => repository === known || repository.endsWith(`/${known}`))?.[1];
}

const MUTABLE = /^(latest|main|master|develop|dev|edge|nightly|stable|current)$/;

/** What is wrong with a tag that is usually pushed again. */
export function mutableTag(image: string): string | undefined {
  if (image.includes("@")) return undefined;
  const tag = /:([^:/]+)$/.exec(image)?.[1] ?? "latest";
  return MUTABLE.test(tag)
    ? `${JSON.stringify(image)}: the tag "${tag}" is usually pushed again, which Pulumi cannot see: a new image under it neither runs the migration nor rolls the pods, and pods that restart may run ahead of the schema. Name a version, best with a digest`
    : undefined;
}

export function warnOfMutableTag(image: pulumi.Input<string>, resource: pulumi.Resource): void {
  pulumi.output(image).apply((known) => {
    const warning = mutableTag(known);
    if (warning) tell("warn", warning, resource);
  });
}
