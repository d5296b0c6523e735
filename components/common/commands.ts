import * as pulumi from "@pulumi/pulumi";
import { command } from "./rules";
import { Validation } from "./validation";

type Command = pulumi.Input<pulumi.Input<string>[]> | undefined;

/** The words of a command, which stand in the pod's spec, so none may be secret. `secrets` is where secret values belong there. */
export const checkCommand = (validation: Validation, path: string, words: Command, secrets = "secretEnv"): Command =>
  validation.check(path, validation.open(path, words, wayOut(secrets)), command);

/** The same of one without which nothing can be done. */
export const requiredCommand = (validation: Validation, path: string, words: Command, missing: string, secrets: string) =>
  validation.required(path, validation.open(path, words, wayOut(secrets)), command, missing)!;

const wayOut = (secrets: string) =>
  `put it into ${secrets}, and let the command read the variable, as in ["sh", "-c", "… $NAME"]`;
