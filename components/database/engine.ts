import * as pulumi from "@pulumi/pulumi";
import { Child } from "../common/childOptions";
import { Connection } from "./connection";
import { Logins } from "./credentials";

/** A server, whoever runs it: what the rest of the component needs to know of one. */
export interface Engine {
  /** Where the application connects. */
  server: Server;
  /** Where connect what changes the schema, dumps or restores: past a pooler, if there is one. */
  direct: Server;
  /** Whether these are two. */
  pooled: boolean;
  /** What signs the server's certificate, if clients are to verify it: a Secret with ca.crt. */
  caSecretName?: pulumi.Input<string>;
  sslmode: pulumi.Input<string>;
  /** Postgres' programs, of the server's major version or a newer one. */
  client: { image: pulumi.Input<string>; uid: pulumi.Input<number> };
  /** Who may make roles and databases. Without one the setup Job works with what the logins may. */
  admin?: Administrator;
  /** Logins that are ours to make; or how to log in as somebody else's server wants it. */
  logins?: Logins;
  given?: Connection;
  /** How the server is seen from the outside, by network policies and by monitoring. */
  seen: ServerSeen;
  /** What the setup has to wait for. */
  ready: pulumi.Resource[];
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
}

/** What engines are given. */
export interface EngineContext {
  /** Known only when nothing has to be refused. */
  namespace: pulumi.Output<string>;
  imagePullSecrets?: pulumi.Input<pulumi.Input<string>[]>;
  labels: Record<string, string>;
  selector: Record<string, string>;
  child: Child;
}
