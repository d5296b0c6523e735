import * as pulumi from "@pulumi/pulumi";
import { directus, PostgresApp } from "pulumi-postgres-app";

const config = new pulumi.Config();
const app = new PostgresApp(
  "directus",
  directus({ host: config.get("host"), adminEmail: config.get("adminEmail"), storage: "10Gi" }),
);
export const url = app.url;
