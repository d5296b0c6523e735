import * as pulumi from "@pulumi/pulumi";
import * as apps from "@pulumi/kubernetes/apps/v1";
import { Earlier } from "../common/order";
import { templateOf } from "./templateMark";

const LOGIN = {
  missing: "the application is not there",
  other: "its pods log in with the former password",
};

/** Pods that log in with the Secret of today: its name is in their template, and another one with each password. */
export const loggingIn = (
  object: apps.StatefulSet | apps.Deployment,
  secretName: pulumi.Input<string>,
  targets: string,
): Earlier => ({
  object,
  identity: secretName,
  actual: pulumi
    .all([templateOf(object), secretName])
    .apply(([template, secret]) => (JSON.stringify(template).includes(JSON.stringify(secret)) ? secret : "")),
  words: LOGIN,
  targets,
});
