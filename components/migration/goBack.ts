import * as pulumi from "@pulumi/pulumi";
import { tell } from "../common/tell";
import { ArgumentNames } from "./argumentNames";
import { ResolvedMigration } from "./resolveMigration";

export const goingBack = (image: string) =>
  `going back to ${image}: no migration is run, and the schema stays as the newer release left it`;

/** Says that nothing is migrated, or that the argument is left over from when that was so. */
export function tellOfGoingBack(
  { image, goBackTo, goBack }: ResolvedMigration,
  { shared }: ArgumentNames,
  resource: pulumi.Resource,
): void {
  if (goBackTo === undefined) return;
  pulumi.all([goBackTo, image, goBack]).apply(([to, which, back]) => {
    const words = back
      ? goingBack(which)
      : `${shared}goBackTo is ${JSON.stringify(to)} and the image ${JSON.stringify(which)}: it means nothing, and the migration runs as ever: leave it out`;
    tell(back ? "info" : "warn", words, resource);
  });
}
