import { scriptText } from "./scriptText";

/** Shell and SQL that run in containers are kept in files of their own, so that they can be read, checked and tested as what they are. */
export const databaseScript = (file: string) => scriptText(`database/scripts/${file}`);
export const migrationScript = (file: string) => scriptText(`migration/scripts/${file}`);
