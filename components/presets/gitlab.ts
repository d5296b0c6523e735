import * as pulumi from "@pulumi/pulumi";

/**
 * GitLab is no application of one image: gitlab/gitlab-ce runs all of its services as root in one container, and the images of its chart
 * (registry.gitlab.com/gitlab-org/build/cng) need each other, Gitaly's volume, Redis and configuration that the chart renders. What calls this is
 * told so.
 */
export function gitlab(options?: object): never {
  void options; // whatever was asked for
  throw new pulumi.RunError(
    "gitlab: GitLab is many services (Workhorse, Rails, Sidekiq, Gitaly, Shell, Redis) with configuration that its Helm chart renders, and its one image for all of them runs as root: use the chart gitlab/gitlab with postgresql.install=false, and a PostgresDatabase of this package as its global.psql (host, database, username, and password.secret, the connection Secret)",
  );
}
