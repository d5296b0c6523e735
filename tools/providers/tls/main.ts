import { serve } from "../rpc/server";
import { TlsProvider } from "./provider";

/** The version of `@pulumi/tls` whose behaviour this is made after. */
const VERSION = "5.6.1";

serve(VERSION, (log) => {
  log.debug(`stand-in for the tls plugin ${VERSION}`);
  return new TlsProvider(log);
});
