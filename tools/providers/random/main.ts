import { serve } from "../rpc/server";
import { RandomProvider } from "./provider";

/** The version of `@pulumi/random` whose behaviour the recordings show. */
const VERSION = "4.21.2";

serve(VERSION, (log) => {
  log.debug(`stand-in for the random plugin ${VERSION}`);
  return new RandomProvider(log);
});
