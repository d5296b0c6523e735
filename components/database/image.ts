import * as pulumi from "@pulumi/pulumi";
import { withoutTag } from "../common/rules";
import { Validation } from "../common/validation";

/** User ids of images that carry Postgres, by what their names tell: each image's own /etc/passwd. */
const users: [RegExp, number][] = [
  [/(^|\/)timescale\/timescaledb-ha$/, 1000],
  [/(^|\/)timescale\/timescaledb$/, 70], // built on Alpine without saying so
  [/(^|\/)cloudnative-pg\/(postgresql|postgis)/, 26],
  [/(^|\/)bitnami(legacy)?\//, 1001],
];

/** The user id that an image's Postgres runs as. */
export function userOf(image: string): number {
  const repository = withoutTag(image);
  const [name] = image.split("/").pop()!.split("@"); // somebody's folder may be called anything
  return users.find(([known]) => known.test(repository))?.[1] ?? (name.includes("alpine") ? 70 : 999);
}

/** The major version of Postgres in an image's tag, as the usual images write it: postgres:17.2, pgvector:pg17, timescaledb:2.17.2-pg16. */
export function majorOf(image: string): number | undefined {
  const [, tag] = /:([\w][\w.-]*)(?:@|$)/.exec(image) ?? [];
  const found =
    tag &&
    (/(?:^|[-_.])pg(\d\d)(?![\d])/.exec(tag) ??
      (/(^|\/)timescaledb/.test(withoutTag(image)) ? null : /^(\d\d)(?![\d])/.exec(tag)));
  return found ? Number(found[1]) : undefined;
}

/** Checks server parameters; those in `ours` are not for users to set. */
export function checkParameters(
  validation: Validation,
  path: string,
  parameters: pulumi.Input<Record<string, pulumi.Input<string>>> | undefined,
  ours: string[],
): pulumi.Input<Record<string, pulumi.Input<string>>> | undefined {
  const checked = validation.map(
    path,
    parameters,
    (name) => {
      if (!/^[a-z_][a-z0-9_]*(\.[a-z_][a-z0-9_]*)?$/i.test(name)) return "is not the name of a parameter";
      return ours.includes(name.toLowerCase()) ? "is set by the component: leave it out" : undefined;
    },
    (value: string) =>
      typeof value === "string" && !/[\n\r\0]/.test(value)
        ? undefined
        : `is ${JSON.stringify(value)}: write it as a string of one line, such as "200" or "1GB"`,
  );
  return validation.readable(
    path,
    checked,
    "whoever logs in to the server can show it too, so give it to the application in secretEnv",
  );
}
