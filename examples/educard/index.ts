import * as pulumi from "@pulumi/pulumi";
import { educard, PostgresApp } from "pulumi-postgres-app";

const config = new pulumi.Config();
const app = new PostgresApp("educard", {
  ...educard({ host: config.get("host"), image: config.get("image") }),
  replicas: 2,
});
export const url = app.url;
export const migrationJob = app.migrationJobName;
