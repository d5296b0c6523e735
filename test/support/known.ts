import * as pulumi from "@pulumi/pulumi";

/** A spec as it reaches Kubernetes: outputs known, what is not given left out. */
export async function known(spec: unknown): Promise<any> {
  return JSON.parse(JSON.stringify(await (pulumi.output(spec) as any).promise()));
}
