import * as pulumi from "@pulumi/pulumi";
import { mastodon, PostgresApp } from "pulumi-postgres-app";

// Redis, the bucket and the mail server are there already: they are no secret parts of this, and outlive it.
const config = new pulumi.Config();

const app = new PostgresApp("mastodon", {
  ...mastodon({
    host: config.require("host"), // the name that it is known by for ever
    redis: { host: config.require("redisHost"), password: config.getSecret("redisPassword") },
    s3: {
      bucket: config.require("bucket"),
      region: config.get("region"),
      endpoint: config.get("s3Endpoint"),
      accessKeyId: config.requireSecret("s3AccessKeyId"),
      secretAccessKey: config.requireSecret("s3SecretAccessKey"),
    },
    smtp: {
      host: config.require("smtpHost"),
      from: config.require("mailFrom"),
      user: config.get("smtpUser"),
      password: config.getSecret("smtpPassword"),
    },
    ingress: { controller: "traefik", tls: { clusterIssuer: config.get("clusterIssuer") ?? "letsencrypt" } },
    database: {
      embedded: { storage: "50Gi", parameters: { max_connections: "200" } },
      backups: { schedule: "30 2 * * *", destination: { claim: { claimName: config.get("backupClaim") ?? "backups" } } },
    },
  }),
  replicas: 2,
});

export const url = app.url;
