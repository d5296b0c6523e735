import * as pulumi from "@pulumi/pulumi";
import { Child } from "../common/childOptions";
import { ClusterRules } from "../common/clusterRules";
import { Connection } from "./connection";
import { TlsFiles } from "./tlsFiles";
import { Logins } from "./credentials";

/** A server, whoever runs it: what the rest of the component needs to know of one. */
export interface Engine extends TlsFiles {
  /** Where the application connects. */
  server: Server;
  /** Where connect what changes the schema, dumps or restores: past a pooler, if there is one. */
  direct: Server;
  /** Whether these are two. */
  pooled: boolean;
  /** What the second calls login and database, where that is something else. */
  directNames?: { user?: pulumi.Input<string>; dbname?: pulumi.Input<string> };
  sslmode: pulumi.Input<string>;
  /** Postgres' programs, of the server's major version or a newer one. */
  client: Client;
  /** Who may make roles and databases. Without one the setup Job works with what the logins may. */
  admin?: Administrator;
  /** Logins that are ours to make; or how to log in as somebody else's server wants it. */
  logins?: Logins;
  given?: Connection;
  /** How the server is seen from the outside, by network policies and by monitoring. */
  seen: ServerSeen;
  /** What the setup has to wait for. */
  ready: pulumi.Resource[];
  /** What becomes of the data with the server, "retain" or "delete", as Kubernetes was told last. */
  onDelete: pulumi.Input<string>;
  /** What Kubernetes has to delete for the data to be deleted, if that is what `onDelete` says. */
  owner?: DataOwner;
  /** Changes when the data becomes other data: roles have to be made again then, and migrations run. */
  dataId?: pulumi.Input<string>;
}

/** An object that goes with the data, as others name it that are to go with it too. */
export interface DataOwner {
  apiVersion: string;
  kind: string;
  name: pulumi.Input<string>;
  uid: pulumi.Input<string>;
}

export interface Server {
  host: pulumi.Output<string>;
  port: pulumi.Output<number>;
}

/** Nothing of a server outside the component. */
export interface ServerSeen {
  /** Labels of its pods: those it really has, which a new name of the component does not change. */
  pods?: pulumi.Input<Record<string, string>>;
  /** Regular expression of the names of its volumes' claims. */
  claims?: pulumi.Input<string>;
  /** Name of its StatefulSet, or of CloudNativePG's Cluster. */
  statefulSet?: pulumi.Input<string>;
  cluster?: pulumi.Input<string>;
}

export interface Administrator {
  user: pulumi.Input<string>;
  /** Where the password is. */
  secretName: pulumi.Input<string>;
  passwordKey: pulumi.Input<string>;
  /** Database to log in to. */
  databaseName: pulumi.Input<string>;
  /** Whether the whole server is ours, so that what is found there can be brought in line without asking anybody. */
  ownsServer: boolean;
  /** Roles of a server that is not ours that are to be the component's, whose ever they are. */
  takeOver?: pulumi.Input<pulumi.Input<string>[]>;
}

/** An image with Postgres' programs, and what holds for the pods that run it. */
export interface Client {
  image: pulumi.Input<string>;
  uid: pulumi.Input<number>;
  rules: ClusterRules;
}

/** `uid` is the image's own. */
export const clientOf = (image: pulumi.Input<string>, uid: pulumi.Input<number>, rules: ClusterRules): Client => ({
  image,
  uid: rules.runAsUser ?? uid,
  rules,
});

/** What engines are given. */
export interface EngineContext {
  /** Known only when nothing has to be refused. */
  namespace: pulumi.Output<string>;
  imagePullSecrets?: pulumi.Input<pulumi.Input<string>[]>;
  rules: ClusterRules;
  labels: Record<string, string>;
  selector: Record<string, string>;
  child: Child;
}
