import { serve } from "../rpc/server";
import { KubernetesProvider } from "./provider";

/** The version of `@pulumi/kubernetes` whose behaviour this is made after. */
const VERSION = "4.34.2";

serve(VERSION, (log) => {
  log.debug(`stand-in for the Kubernetes plugin ${VERSION}`);
  return new KubernetesProvider(log);
});
