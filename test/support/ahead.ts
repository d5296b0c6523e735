import { execFileSync } from "child_process";
import { join } from "path";

const script = join(__dirname, "..", "..", "components", "migration", "scripts", "ahead.sh");

/** What the failure's text says of what a tool prints on the database of a newer release. */
export const ahead = (said: string) =>
  execFileSync("sh", ["-euc", 'SHARED_PREFIX=migration.; . "$0"; ahead "$1"', script, said], { encoding: "utf8" }).trim();
