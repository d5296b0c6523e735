import * as pulumi from "@pulumi/pulumi";
import { heimdall, PostgresApp } from "pulumi-postgres-app";

const host = new pulumi.Config().get("host");
const app = new PostgresApp("heimdall", heimdall({ host }));
export const url = app.url;
