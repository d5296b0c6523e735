import * as pulumi from "@pulumi/pulumi";
import { PostgresApp, vulcan } from "pulumi-postgres-app";

const config = new pulumi.Config();
const app = new PostgresApp("vulcan", vulcan({ host: config.get("host"), adminEmail: config.get("adminEmail") }));
export const url = app.url;
