import { readFileSync } from "fs";
import { join } from "path";

/** Shell and SQL that run in containers are kept in files of their own, so that they can be read, checked and tested as what they are. */
export const script = (file: string) => readFileSync(join(__dirname, "scripts", file), "utf8");
