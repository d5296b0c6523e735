import * as pulumi from "@pulumi/pulumi";
import { types } from "@pulumi/kubernetes";
import { ClusterRules, ownImage } from "../common/clusterRules";
import { imageReference, kubernetesName, matching, secretKey } from "../common/rules";
import { Validation } from "../common/validation";

/** A claim that is there already. */
export interface BackupClaimArgs {
  /**
   * Name of the PersistentVolumeClaim, in the database's namespace. It is never deleted by this package. Best on other storage than
   * the database's own. A claim that only one node can mount (ReadWriteOnce) holds backups to that node.
   */
  claimName: pulumi.Input<string>;
  /**
   * Folder of the claim. Give each database its own: retention and restores go by the database's name. Defaults to the claim's root.
   */
  subPath?: pulumi.Input<string>;
}

/** A bucket of an object store that speaks S3. It has to be there. */
export interface BackupS3Args {
  /**
   * URL of the store, such as "https://minio.example.org:9000". Defaults to Amazon's.
   */
  endpoint?: pulumi.Input<string>;
  /**
   * Region of the bucket. Defaults to "us-east-1", which most stores that are not Amazon's take.
   */
  region?: pulumi.Input<string>;
  /**
   * Name of the bucket. A rule of the bucket that ends incomplete multipart uploads spares you paying for what cut-off runs leave.
   */
  bucket: pulumi.Input<string>;
  /**
   * Folder in the bucket. Give each database its own: retention and restores go by the database's name. Defaults to the bucket's root.
   */
  prefix?: pulumi.Input<string>;
  /**
   * Name of a Secret in the database's namespace, that is there already, with keys that may list, read, write and delete objects.
   */
  secretName: pulumi.Input<string>;
  /**
   * Key of the access key's id in that Secret. Defaults to "AWS_ACCESS_KEY_ID".
   */
  accessKeyIdKey?: pulumi.Input<string>;
  /**
   * Key of the secret access key in that Secret. Defaults to "AWS_SECRET_ACCESS_KEY".
   */
  secretAccessKeyKey?: pulumi.Input<string>;
  /**
   * Image with rclone and a shell. Defaults to "docker.io/rclone/rclone:1". For CloudNativePG's backups it only tries the bucket.
   */
  image?: pulumi.Input<string>;
}

/** Where backups are kept. Exactly one of the two. */
export interface BackupDestinationArgs {
  /**
   * A volume in the cluster.
   */
  claim?: BackupClaimArgs;
  /**
   * An object store. A run needs as much room on its node as the backup is large.
   */
  s3?: BackupS3Args;
}

export interface ResolvedS3 extends BackupS3Args {
  accessKeyIdKey: pulumi.Input<string>;
  secretAccessKeyKey: pulumi.Input<string>;
  image: pulumi.Input<string>;
}

/** One of the two. */
export interface ResolvedDestination {
  claim?: BackupClaimArgs;
  s3?: ResolvedS3;
}

export function resolveDestination(
  args: BackupDestinationArgs | undefined,
  path: string,
  validation: Validation,
  rules: ClusterRules,
): ResolvedDestination {
  const { claim, s3 } = args ?? {};
  if ((claim === undefined) === (s3 === undefined)) {
    const wrong = claim ? "has claim and s3" : "does not say where backups are";
    validation.problem(path, `${wrong}: give exactly one of claim (a volume in the cluster) and s3 (an object store)`);
  }
  return {
    claim: claim && checkClaim(claim, `${path}.claim`, validation),
    s3: s3 && resolveS3(s3, `${path}.s3`, validation, rules),
  };
}

function checkClaim(claim: BackupClaimArgs, path: string, validation: Validation): BackupClaimArgs {
  return {
    claimName: validation.required(`${path}.claimName`, claim.claimName, kubernetesName, "name the PersistentVolumeClaim"),
    subPath: validation.check(`${path}.subPath`, claim.subPath, folder),
  };
}

function resolveS3(s3: BackupS3Args, path: string, validation: Validation, rules: ClusterRules): ResolvedS3 {
  const check: Validation["check"] = (property, value, rule) => validation.check(`${path}.${property}`, value, rule);
  return {
    endpoint: check("endpoint", s3.endpoint, url),
    region: check("region", s3.region, word),
    bucket: validation.required(`${path}.bucket`, s3.bucket, bucketName, "name the bucket"),
    prefix: check("prefix", s3.prefix, folder),
    secretName: validation.required(`${path}.secretName`, s3.secretName, kubernetesName, "name the Secret with the access key"),
    accessKeyIdKey: check("accessKeyIdKey", s3.accessKeyIdKey, secretKey) ?? "AWS_ACCESS_KEY_ID",
    secretAccessKeyKey: check("secretAccessKeyKey", s3.secretAccessKeyKey, secretKey) ?? "AWS_SECRET_ACCESS_KEY",
    image: check("image", s3.image, imageReference) ?? ownImage("docker.io/rclone/rclone:1", rules),
  };
}

const bucketName = matching(
  /^[A-Za-z0-9][A-Za-z0-9._-]{1,62}$/,
  'a bucket\'s name: write it without "s3://" and without a folder',
);
const url = matching(
  /^https?:\/\/[^\s/?#]+(\/[^\s?#]*)?$/,
  'a URL: begin it with https:// (or http://), such as "https://s3.example.org"',
);
const word = matching(/^\S+$/, 'a region: write it as your store calls it, such as "eu-central-1"');
// No segment may be "..", which Kubernetes refuses in a subPath, or empty, which stores take for a folder without a name.
const folder = matching(
  /^(?!.*(^|\/)\.\.?(\/|$))[^/\s]+(\/[^/\s]+)*\/?$/,
  'a folder: write it without a leading "/", such as "notes/production"',
);

/** How the destination is called in logs. */
export function destinationName({ claim, s3 }: ResolvedDestination): pulumi.Output<string> {
  const [kind, place, inside] = s3 ? ["s3://", s3.bucket, s3.prefix] : ["claim ", claim?.claimName, claim?.subPath];
  return pulumi.all([place, inside]).apply(([outer, inner]) => `${kind}${outer}${inner ? `/${inner.replace(/\/$/, "")}` : ""}`);
}

/** rclone's configuration: a remote called "store", by variables alone. */
export function storeEnv(s3: ResolvedS3): types.input.core.v1.EnvVar[] {
  const secret = (key: pulumi.Input<string>) => ({ secretKeyRef: { name: s3.secretName, key } });
  const option = (name: string, value: pulumi.Input<string>) => ({ name: `RCLONE_CONFIG_STORE_${name}`, value });
  return [
    option("TYPE", "s3"),
    option("PROVIDER", s3.endpoint === undefined ? "AWS" : "Other"),
    ...(s3.endpoint === undefined ? [] : [option("ENDPOINT", s3.endpoint)]),
    option("REGION", s3.region ?? "us-east-1"),
    option("NO_CHECK_BUCKET", "true"), // else it would ask for the right to make buckets
    { name: "RCLONE_CONFIG_STORE_ACCESS_KEY_ID", valueFrom: secret(s3.accessKeyIdKey) },
    { name: "RCLONE_CONFIG_STORE_SECRET_ACCESS_KEY", valueFrom: secret(s3.secretAccessKeyKey) },
    { name: "S3_BUCKET", value: s3.bucket },
    { name: "S3_PREFIX", value: s3.prefix ?? "" },
  ];
}

/** Where the folder with backups, or with the one under way, is mounted. */
export const BACKUPS_FOLDER = "/backups";

export function destinationVolume({ claim }: ResolvedDestination): types.input.core.v1.Volume {
  return claim ? { name: "backups", persistentVolumeClaim: { claimName: claim.claimName } } : { name: "backups", emptyDir: {} };
}

export function destinationMount({ claim }: ResolvedDestination, readOnly = false): types.input.core.v1.VolumeMount {
  return {
    name: "backups",
    mountPath: BACKUPS_FOLDER,
    ...(claim?.subPath === undefined ? {} : { subPath: claim.subPath }),
    ...(claim && readOnly ? { readOnly } : {}),
  };
}
