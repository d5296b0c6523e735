/** Words for what more than one controller cannot do. */

export const BY_INSTALLATION =
  "is decided by how the controller itself is installed: leave it out, and choose the class of one that is";
export const BY_READINESS =
  "is not asked by this controller, which goes by the pods' readiness: leave it out, and set probes.readiness";
export const OF_TRAEFIK = "says how Traefik names its own objects: leave it out";
export const NO_BODY_LIMIT =
  "cannot be set: the load balancer lets bodies of any size through; leave it out, and let the application refuse what is too large";

export const FROM_SECRETS = {
  certificateArn: 'is for controller "alb": give secretName, clusterIssuer or issuer',
  preSharedCertificate: 'is for controller "gce": give secretName, clusterIssuer or issuer',
};
