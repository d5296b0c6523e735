import { withoutTag } from "../common/rules";

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
