import * as pulumi from "@pulumi/pulumi";

/**
 * Discourse has no image that could be run as it is (discourse/discourse_docker, README and image/README.md, August 2026): the launcher builds
 * one per site, which starts as root under runit with nginx and more in it, and writes to its own directories. What calls this is told so.
 */
export function discourse(options?: object): never {
  void options; // whatever was asked for
  throw new pulumi.RunError(
    "discourse: Discourse publishes no image that runs as it is: its launcher (discourse/discourse_docker) builds one for each site, which runs as root, with nginx and runit in it, and needs a file system that it can write. Run it with the launcher and let it use a PostgresDatabase of this package (DISCOURSE_DB_HOST and so on), or write the arguments of PostgresApp for an image of your own",
  );
}
