import * as pulumi from "@pulumi/pulumi";
import * as apps from "@pulumi/kubernetes/apps/v1";
import { Earlier } from "../common/order";
import { templateOf } from "./templateMark";

const LOGIN = {
  missing: "the application is not there",
  other: "its pods log in with the former password",
};

/**
 * Pods that log in with the Secret of today: its name, which is another one with each password, is in their template. Where none of these
 * Secrets is (no connection is asked for, or `transforms` give another one), nothing is known of it, and nothing is held against them.
 */
export const loggingIn = (
  name: string,
  object: apps.StatefulSet | apps.Deployment,
  secretName: pulumi.Input<string>,
): Earlier => ({
  object,
  identity: secretName,
  actual: pulumi.all([templateOf(object), secretName]).apply(([template, secret]) => {
    const text = JSON.stringify(template);
    return text.includes(`"${secret}"`) || !text.includes(`"${name}-db-connection-`) ? secret : "";
  }),
  words: LOGIN,
  targets: `**::${name}*`,
});
