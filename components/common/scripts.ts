import { readFileSync } from "fs";
import { join } from "path";

/** Shell and SQL that run in containers are kept in files of their own, so that they can be read, checked and tested as what they are. */
const read = (folder: string) => (file: string) => readFileSync(join(__dirname, "..", folder, "scripts", file), "utf8");

export const databaseScript = read("database");
export const migrationScript = read("migration");
