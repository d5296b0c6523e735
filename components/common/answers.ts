import * as pulumi from "@pulumi/pulumi";

/**
 * What a provider has made up: a password, a name, a namespace. Pulumi's mocks, with which people test their programs, answer with the
 * inputs alone; `otherwise` stands for what they leave out, so that nothing fails that the test is not about.
 */
export const answered = (value: pulumi.Output<string>, otherwise: string): pulumi.Output<string> =>
  value.apply((given) => (given as string | undefined) ?? otherwise);

/** Where an object is that names no namespace: the provider knows. */
export const namespaceOf = ({ metadata }: { metadata: { namespace: pulumi.Output<string> } }) =>
  answered(metadata.namespace, "default");
