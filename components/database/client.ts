import * as pulumi from "@pulumi/pulumi";
import { types } from "@pulumi/kubernetes";
import { Client } from "./engine";

/** How a container of ours reaches the database: an image with Postgres' programs, variables for libpq, files. */
export interface PostgresClient extends Client {
  imagePullSecrets?: pulumi.Input<pulumi.Input<string>[]>;
  env: pulumi.Input<pulumi.Input<types.input.core.v1.EnvVar>[]>;
  volumes: types.input.core.v1.Volume[];
  volumeMounts: types.input.core.v1.VolumeMount[];
}
