import * as pulumi from "@pulumi/pulumi";

/** Ghost needs MySQL (docs.ghost.org/faq/supported-databases), so there is no preset; what calls it is told so. */
export function ghost(): never {
  throw new pulumi.RunError("ghost: Ghost supports only MySQL 8 in production, not Postgres, so PostgresApp is not for it");
}
